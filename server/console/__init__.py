"""Staff pages."""

from server.console.blueprint import register_console
from server.console.parts import ConsoleParts

__all__ = ["ConsoleParts", "register_console"]
