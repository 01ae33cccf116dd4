"""Every answer is counted by its route, compressed where that helps, and kept by nobody but static files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from server.channels.http_manners import LEAST_COMPRESSED, register_http_manners
from server.errors import AppError, NotFound
from server.observability import metrics
from server.observability.figures import Figures
from server.observability.multiprocess import read_figures

LONG = "x" * LEAST_COMPRESSED
GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    (tmp_path / "page.css").write_text(f"/* {LONG} */")
    (tmp_path / "small.css").write_text("a {}")
    app = Flask("manners", static_folder=str(tmp_path), static_url_path="/static")
    register_http_manners(app)

    @app.get("/things/<thing>")
    def thing(thing: str) -> dict[str, str]:
        if thing == "missing":
            raise NotFound("no such thing")
        if thing == "broken":
            raise ValueError(thing)
        return {"thing": LONG if thing == "long" else thing}

    @app.get("/page")
    def page() -> Response:
        return Response(LONG, mimetype="text/html")

    @app.get("/text")
    def text() -> Response:
        return Response(LONG, mimetype="text/plain")

    @app.get("/stream")
    def stream() -> Response:
        def events() -> Iterator[str]:
            yield f"data: {LONG}\n\n"
            yield f"data: {LONG}\n\n"

        headers = {"Cache-Control": "no-cache"}
        return Response(events(), mimetype="text/event-stream", headers=headers)

    app.register_error_handler(AppError, lambda error: ({"error": str(error)}, error.status))
    app.register_error_handler(HTTPException, lambda error: ({"error": error.name}, error.code or 500))
    app.register_error_handler(Exception, lambda _error: ({"error": "fault"}, 500))
    return app.test_client()


@pytest.mark.parametrize("path", ["/things/long", "/page", "/static/page.css"])
def test_what_is_long_is_compressed(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path, buffered=True), client.get(path, headers=GZIP, buffered=True)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["/things/short", "/static/small.css", "/text"])
def test_what_is_short_or_no_page_goes_as_it_is(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP, buffered=True).headers


def test_a_stream_is_never_compressed_nor_gathered(client: FlaskClient) -> None:
    answer = client.get("/stream", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.is_streamed
    assert len(list(answer.iter_encoded())) == 2


@pytest.mark.parametrize("path", ["/things/a", "/things/missing", "/things/broken", "/nowhere"])
def test_nobody_keeps_an_answer(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_static_file_is_kept_and_asked_after(client: FlaskClient) -> None:
    first = client.get("/static/page.css", headers=GZIP, buffered=True)
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get(
        "/static/page.css", headers={**GZIP, "If-None-Match": first.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")


def asked(client: FlaskClient, *paths: str) -> Figures:
    before = read_figures()
    for path in paths:
        client.get(path)
    return read_figures().since(before)


def test_requests_are_counted_by_their_route_not_their_address(client: FlaskClient) -> None:
    told = asked(client, "/things/a", "/things/b", "/things/missing", "/things/broken")
    route = "/things/<thing>"
    assert told.total(metrics.HTTP_REQUESTS, method="GET", route=route, status="200") == 2
    assert told.total(metrics.HTTP_REQUESTS, route=route, status="404") == 1
    assert told.total(metrics.HTTP_REQUESTS, route=route, status="500") == 1
    assert told.count(metrics.HTTP_SECONDS, route=route) == 4


def test_addresses_that_somebody_invents_are_one_route(client: FlaskClient) -> None:
    told = asked(client, *[f"/invented/{number}" for number in range(20)])
    assert told.total(metrics.HTTP_REQUESTS, route="none", status="404") == 20
    assert not [
        route for route in read_figures().values(metrics.HTTP_REQUESTS, "route") if "invented" in route
    ]


def test_methods_that_somebody_invents_are_one_method(client: FlaskClient) -> None:
    before = read_figures()
    for method in ("BREW", "PROPFIND"):
        client.open("/page", method=method)
    assert read_figures().since(before).total(metrics.HTTP_REQUESTS, method="other") == 2
