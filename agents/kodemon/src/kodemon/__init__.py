"""How long functions take, told by UDP: ``@kodemon`` in front of a function is all."""

from kodemon._decorator import kodemon

__all__ = ["kodemon"]
__version__ = "0.1.0"
