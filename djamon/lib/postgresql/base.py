"""The backend proper, where Django looks for it.

A server that was restarted leaves dead connections in the pool. The pool's own check tries them one by one
with growing pauses, which takes longer than it waits for a connection; here the first dead one has all of
them looked at.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        pool = self.pool
        if pool is None:
            return connection
        try:
            pool.check_connection(connection)
        except psycopg.OperationalError:
            pool.putconn(connection)  # which drops it
            pool.check()
            connection = super().get_new_connection(conn_params)
        return connection
