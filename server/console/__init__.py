"""Staff pages."""

from server.console.blueprint import register_console

__all__ = ["register_console"]
