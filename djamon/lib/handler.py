"""Django under ASGI, where each request is answered on one thread, from the first middleware to the last.

Django's own handler goes to a thread and back for every middleware, about twenty times for a page, which
takes longer than many an answer. Static files never need a thread: they are sent from the event loop.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from csp.middleware import CSPMiddleware
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from servestatic.middleware import ServeStaticMiddleware


async def _no_file(_request: HttpRequest) -> None:
    return None


class Handler(ASGIHandler):
    """All of settings.MIDDLEWARE must be able to do without async."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002  (Django's)
        super().load_middleware(is_async=False)
        self._file_of: Any = convert_exception_to_response(ServeStaticMiddleware(_no_file))
        self._page_of = sync_to_async(self.get_response)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        served = await self._file_of(request)
        if served is None:
            return await self._page_of(request)
        # The headers that all pages have.
        dress: Any = SecurityMiddleware(CSPMiddleware(lambda _request: served))
        dressed: HttpResponseBase = dress(request)
        return dressed
