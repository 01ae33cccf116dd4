"""Whose word is taken for where a request comes from."""

from __future__ import annotations

import pytest
from flask import Flask, request

from server.wsgi import trust_proxies


@pytest.mark.parametrize(
    ("trusted", "address", "is_secure"), [(0, "127.0.0.1", False), (1, "203.0.113.7", True)]
)
def test_only_trusted_proxies_say_who_the_client_is(trusted: int, address: str, is_secure: bool) -> None:
    app = Flask(__name__)
    trust_proxies(app, trusted)
    with app.test_client() as client:
        app.add_url_rule("/", view_func=lambda: "")
        # What the client itself has put in front is believed by nobody.
        client.get(
            "/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
        )
        assert request.remote_addr == address
        assert request.is_secure is is_secure
