"""``frontdesk bench console``: how soon the console's pages are served and painted, with many messages."""

from __future__ import annotations

import gc
import html
import json
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import requests
from tqdm import tqdm

from bench.console_data import AGENCY_ID, fill_console
from bench.console_texts import AGENCY_MARK, RARE_NAME, RARE_WORD
from bench.figures import Figure, Output, output_options
from bench.messages import TENANT
from bench.samples import PERCENTILES, percentile, percentiles
from bench.scratch import scratch_database
from bench.settings import database_option
from server.adapters.system_clock import SystemClock
from server.domain.tenants import TenantSettings
from server.store.migrate import migrate
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from simulators.lab import ROOT, Lab, LabError
from simulators.whatsapp_client import WhatsAppSimulator

# p95 in ms of what a page of each group may take.
BUDGETS_MS = {"list": 150.0, "search": 150.0, "thread": 100.0}
PAINT_BUDGET_MS = 1000.0
# So many times "Older" is followed to a deep page.
DEEP = 10
WARM_UPS = 2

_SCRIPT = "bench/first_paint.js"
_COOKIE = "frontdesk_session"
_TIMEOUT_S = 60.0
_PAINT_TIMEOUT_S = 300.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_OLDER = re.compile(r'href="([^"]*[?&;]before=[^"]*)"')
_CONVERSATIONS = re.compile(r'href="/console/conversations/(\d+)')
_LIST = "/console/"
_SEARCHES = {
    "a frequent word": "booking",
    "a Hebrew word": "חניה",
    "the root of Hebrew words": "הזמנ",
    "two words": "thank you",
    "a rare word": RARE_WORD,
    "a word of one guest's many messages": AGENCY_MARK,
    "a word in no message": "xylograph",
    "a part of a name": RARE_NAME[2:8],
    "a part of a number": "972500",
    "two letters": "in",
    "two Hebrew letters": "לא",
    "two rare letters": "qz",
}
_FILTERS = {
    "needs a person": "needs_human=1",
    "answered by staff": "mode=human",
    "in Hebrew": "language=he",
    "over WhatsApp": "channel=whatsapp",
    "over the phone, which nobody has used": "channel=voice",
    "not seen": "new=1",
}
_EPILOG = """\b
Examples:
  frontdesk bench console
  frontdesk bench console --database both --messages 100000
  frontdesk bench console --conversations 20000 --rounds 10 --paints 0
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A page that is asked for again and again; `BUDGETS_MS` has its group, or it is a floor's."""

    group: str
    tells: str
    path: str

    def __str__(self) -> str:
        return f"{self.group}, {self.tells}"


@click.command("console", epilog=_EPILOG)
@click.option("--conversations", type=click.IntRange(10), default=1000, show_default=True)
@click.option("--messages", type=click.IntRange(200), default=1_000_000, show_default=True, help="In all.")
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help="Requests of a kind.")
@click.option(
    "--paints", type=click.IntRange(0), default=7, show_default=True, help="Times a browser opens each page."
)
@database_option(default="postgres")
@output_options
def command(
    conversations: int,
    messages: int,
    rounds: int,
    paints: int,
    databases: list[str],
    as_json: bool,
    strict: bool,
) -> None:
    """How soon lists, searches and threads of the console are served, and first painted.

    A member of staff who is logged in asks the web process over one kept connection, one kind of page after
    the other. The floors are a file and a route that ask no database. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    for database in databases:
        setting = f"{database}, {conversations:,} conversations, {messages:,} messages"
        with _filled_desk(database, conversations, messages) as (lab, filled_s):
            output.add(Figure("console", setting, "filled", messages / filled_s, "messages/s"))
            with closing(_log_in(lab)) as staff:
                kinds = list(_kinds(lab, staff))
                output.add(*_served(setting, lab, staff, kinds, rounds))
                output.add(*_painted(setting, lab, staff, paints))
    output.close()


@contextmanager
def _filled_desk(database: str, conversations: int, messages: int) -> Iterator[tuple[Lab, float]]:
    """A desk whose web process runs, and how long filling its database took."""
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database(database, Path(name)) as url,
    ):
        nowhere = WhatsAppSimulator(socket_url="", control_url="", root_key="")
        lab = Lab(Path(name), nowhere, {"DATABASE_URL": url})
        _add_business(url)
        began = time.monotonic()
        fill_console(url, conversations, messages)
        filled_s = time.monotonic() - began
        try:
            lab.web.start()
            yield lab, filled_s
        finally:
            lab.web.kill()


def _add_business(url: str) -> None:
    """The tables and a business that knows nothing: no page of this bench asks what it knows."""
    with closing(Database(url)) as database:
        migrate(database)
        Tenants(database, SystemClock()).add(TENANT, TenantSettings(name="Harbour House"))


def _log_in(lab: Lab) -> requests.Session:
    """A new owner's session over a connection that is kept."""
    password = secrets.token_urlsafe(12)
    with closing(Database(lab.environment["DATABASE_URL"])) as database:
        Users(database, SystemClock()).add(TENANT, "Bench", password)
    session = requests.Session()
    page = session.get(f"{lab.web_url}/console/login", timeout=_TIMEOUT_S)
    token = _TOKEN.search(page.text)
    if token is None:
        raise LabError(f"the login page has no form, see {lab.web.log}")
    form = {"csrf_token": html.unescape(token[1]), "name": "Bench", "password": password}
    session.post(f"{lab.web_url}/console/login", data=form, timeout=_TIMEOUT_S)
    if _COOKIE not in session.cookies:
        raise LabError(f"the login failed, see {lab.web.log}")
    return session


def _kinds(lab: Lab, staff: requests.Session) -> Iterator[Kind]:
    """Everything that is asked for; the deep pages are those that "Older" leads to."""
    yield Kind("floor", "a file", "/console/static/console.css")
    yield Kind("floor", "a route without a database", "/livez")
    yield Kind("list", "newest", _LIST)
    yield Kind("list", "deep", _older(lab, staff, _LIST, DEEP))
    for tells, query in _FILTERS.items():
        yield Kind("list", tells, f"{_LIST}?{query}")
    for tells, text in _SEARCHES.items():
        yield Kind("search", tells, f"{_LIST}?q={text}")
    frequent = next(iter(_SEARCHES.values()))
    yield Kind("search", "a frequent word, deep", _older(lab, staff, f"{_LIST}?q={frequent}", DEEP))
    # Newest first: the oldest conversation that a deep page lists is one of the ordinary length.
    ordinary = _CONVERSATIONS.findall(_get(lab, staff, _older(lab, staff, _LIST, DEEP)))[-1]
    for tells, conversation_id in (("the longest", AGENCY_ID), ("an ordinary", ordinary)):
        path = f"/console/conversations/{conversation_id}"
        yield Kind("thread", f"{tells}, newest", path)
        yield Kind("thread", f"{tells}, older", _older(lab, staff, path, 1))
        yield Kind("thread", f"{tells}, deep", _older(lab, staff, path, DEEP))


def _older(lab: Lab, staff: requests.Session, path: str, times: int) -> str:
    """Where "Older" leads, pressed so many times, or as often as there are older pages."""
    for _ in range(times):
        link = _OLDER.search(_get(lab, staff, path))
        if link is None:
            return path
        path = html.unescape(link[1])
        if path.startswith("?"):
            path = _LIST + path
    return path


def _get(lab: Lab, staff: requests.Session, path: str) -> str:
    answer = staff.get(lab.web_url + path, timeout=_TIMEOUT_S, allow_redirects=False)
    if answer.status_code != requests.codes.ok:
        raise LabError(f"{path} was answered with {answer.status_code}, see {lab.web.log}")
    return answer.text


def _served(
    setting: str, lab: Lab, staff: requests.Session, kinds: Sequence[Kind], rounds: int
) -> Iterator[Figure]:
    """How long each kind takes from the request to the last byte, as its client sees it."""
    times: dict[Kind, list[float]] = defaultdict(list)
    found: dict[Kind, int] = {}
    with _no_pauses():
        for number in tqdm(range(WARM_UPS + rounds), desc="Asking for pages", unit=" rounds", disable=None):
            for kind in kinds:
                began = time.perf_counter()
                page = _get(lab, staff, kind.path)
                if number >= WARM_UPS:
                    times[kind].append((time.perf_counter() - began) * 1000)
                    found[kind] = len(set(_CONVERSATIONS.findall(page)))
    groups: dict[str, list[float]] = defaultdict(list)
    for kind in kinds:
        groups[kind.group] += times[kind]
        yield from _figures(setting, str(kind), kind.group, times[kind])
        if kind.group == "search":
            yield Figure("console", setting, f"{kind}: found on the page", found[kind], "conversations")
    for group in BUDGETS_MS:
        yield from _figures(setting, f"{group}, all kinds", group, groups[group])


@contextmanager
def _no_pauses() -> Iterator[None]:
    """The client looks for no garbage meanwhile: its own pauses are not the desk's."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _figures(setting: str, name: str, group: str, values: Sequence[float]) -> Iterator[Figure]:
    for share, (label, value) in zip(PERCENTILES, percentiles(values), strict=True):
        budget = BUDGETS_MS.get(group) if share == 95 else None
        yield Figure("console", setting, f"{name} {label}", value, "ms", budget=budget)


def _painted(setting: str, lab: Lab, staff: requests.Session, rounds: int) -> Iterator[Figure]:
    """First contentful paint of the list and of the longest thread, in a browser that keeps nothing."""
    if rounds == 0:
        return
    if missing := _missing_for_a_browser():
        click.echo(f"bench console: first paint is not measured, as there is no {missing}", err=True)
        return
    task = {
        "base": lab.web_url,
        "cookie": {"name": _COOKIE, "value": staff.cookies[_COOKIE]},
        "paths": {"list": _LIST, "thread": f"/console/conversations/{AGENCY_ID}"},
        "rounds": rounds,
    }
    for kind, values in _run_browser(task).items():
        for label, value in (("median", percentile(values, 50)), ("worst", max(values))):
            yield Figure(
                "console", setting, f"first paint, {kind}, {label}", value, "ms", budget=PAINT_BUDGET_MS
            )


def _missing_for_a_browser() -> str | None:
    if shutil.which("node") is None:
        return "Node"
    packages = ("playwright-core", "@sparticuz/chromium")
    return next((name for name in packages if not (ROOT / "node_modules" / name).exists()), None)


def _run_browser(task: Mapping[str, object]) -> Mapping[str, Sequence[float]]:
    done = subprocess.run(  # noqa: S603 - our own script
        [shutil.which("node") or "node", _SCRIPT],
        cwd=ROOT,
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=_PAINT_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"the browser failed: {done.stderr.strip()}")
    found: Mapping[str, Sequence[float]] = json.loads(done.stdout)
    return found
