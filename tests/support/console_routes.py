"""Every way into the console, as its own map of routes has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

# Not ours to open or to close: style, and what leads nowhere.
_ELSEWHERE = frozenset({"console.static", "console.no_such_page"})
_ANSWERED_BY_FLASK = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Way:
    """One method of one route."""

    method: str
    rule: Rule

    @property
    def endpoint(self) -> str:
        return str(self.rule.endpoint)

    @property
    def name(self) -> str:
        """``POST /console/keys/<int:key_id>/revoke``."""
        return f"{self.method} {self.rule.rule}"

    def path(self, app: Flask, values: Mapping[str, object]) -> str:
        """The address with *values* in it.

        Raises:
            KeyError: an argument has no value: say in the test what it is.
        """
        arguments: dict[str, Any] = {name: values[name] for name in self.rule.arguments}
        with app.test_request_context():
            return app.url_for(self.endpoint, **arguments)

    def view(self, app: Flask) -> Callable[..., Any]:
        return app.view_functions[self.endpoint]


def ways(app: Flask, under: str = "/console") -> Iterator[Way]:
    """All of them, in the order of their addresses."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.rule.startswith(under) and rule.endpoint not in _ELSEWHERE:
            for method in sorted((rule.methods or set()) - _ANSWERED_BY_FLASK):
                yield Way(method, rule)
