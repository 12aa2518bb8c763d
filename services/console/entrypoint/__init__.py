"""The console over HTTP: routes, the token, JSON in and out, and the description of all of it."""

from services.console.entrypoint.service import ConsoleService

__all__ = ["ConsoleService"]
