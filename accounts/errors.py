"""What can go wrong here and is no bug.

DjamonError
└── AccountError     one line that says what was asked for and why it is refused
"""

from djamon.lib.commands import DjamonError


class AccountError(DjamonError):
    """A user, scope or token that cannot be had."""
