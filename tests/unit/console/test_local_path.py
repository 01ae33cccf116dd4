"""After the login nobody is sent elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Blueprint, Flask
from hypothesis import given
from hypothesis import strategies as st

from server.console.auth import local_path

HERE = "https://desk.example.com/console/login"


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask(__name__)
    blueprint = Blueprint("console", __name__, url_prefix="/console")
    blueprint.add_url_rule("/", "list_conversations", lambda: "")
    app.register_blueprint(blueprint)
    return app


@pytest.fixture(autouse=True, scope="module")
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context("/console/login"):
        yield


def test_a_page_of_the_console_is_kept_with_its_query() -> None:
    wanted = "/console/conversations/7?before=1.2"
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://evil.example/console/",
        "//evil.example/console/",
        "/\\evil.example",
        "\\\\evil.example",
        "/console/\\evil.example",
        "/console/\r\nLocation: https://evil.example",
        " /console/",
        "javascript:alert(1)",
        "/webhook/whatsapp/incoming",
        "console/",
    ],
)
def test_anything_else_leads_to_the_first_page(target: str) -> None:
    assert local_path(target) == "/console/"


@given(st.text() | st.text().map(lambda text: "/console/" + text))
def test_whatever_is_asked_for_it_stays_on_this_host_and_in_the_console(target: str) -> None:
    landed = urlsplit(urljoin(HERE, local_path(target)))
    assert (landed.scheme, landed.netloc) == ("https", "desk.example.com")
    assert local_path(target).startswith("/console/")
