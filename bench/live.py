"""``frontdesk bench live``: how soon staff see a message on a page that is open."""

from __future__ import annotations

import json
import random
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import requests
from tqdm import tqdm

from bench.figures import Figure, Output, output_options
from bench.messages import TENANT, webhook_bodies
from bench.samples import percentiles
from bench.scratch import ScratchWeb, scratch_database
from bench.settings import database_option
from simulators.lab import Lab, LabError

BUDGET_P95_MS = 300.0
# So long at least from one message to the next, and at most: in no step with how often the database is asked.
PAUSE_S = (0.3, 0.7)
SEEN_WITHIN_S = 10.0
# Pools fill, templates are compiled.
NOT_COUNTED = 3
SEED = 7
USER = "bench"

_EPILOG = """\b
Examples:
  frontdesk bench live
  frontdesk bench live --messages 200 --database postgres --json
"""


@click.command("live", epilog=_EPILOG)
@click.option("--messages", type=click.IntRange(1), default=50, show_default=True, help="In each run.")
@database_option(default="both")
@output_options
def command(messages: int, databases: list[str], as_json: bool, strict: bool) -> None:
    """How soon a guest's message is on the pages that staff have open: the list, and the guest's thread.

    The real web and realtime processes; each page listens to its stream as a browser does, and asks for what
    has changed. The webhook's own answer time, in the same run, is what nothing could be sooner than. See
    docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    for kind in databases:
        output.add(*measure(kind, messages).figures())
    output.close()


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown: of each message the webhook's answer time, and when each page had it, in ms."""

    setting: str
    webhook: Sequence[float]
    pages: Sequence[Page]
    messages: int

    def figures(self) -> Iterator[Figure]:
        """All figures, the budgeted ones among them."""
        for name, value in percentiles(self.webhook):
            yield self._figure(f"webhook answered {name}", value)
        for page in self.pages:
            for name, value in percentiles([told for told, _ in page.times]):
                yield self._figure(f"{page.name}: told {name}", value)
            for name, value in percentiles([shown for _, shown in page.times]):
                budget = BUDGET_P95_MS if name == "p95" else None
                yield self._figure(f"{page.name}: shown {name}", value, budget)
        missed = sum(self.messages - len(page.times) for page in self.pages)
        yield Figure("live", self.setting, "not shown", missed, "messages", budget=0)

    def _figure(self, metric: str, value: float, budget: float | None = None) -> Figure:
        return Figure("live", self.setting, metric, value, "ms", budget=budget)


@dataclass
class Page:
    """A page that is open.

    Args:
        ids: what finds the ids of messages that came in, in the page's text.
    """

    name: str
    ids: str
    # For each message when its event came and when it was shown, in ms since the webhook was called.
    times: list[tuple[float, float]] = field(default_factory=list)
    _newest: int = 0
    _sent_at: float | None = None
    _shown: threading.Condition = field(default_factory=threading.Condition)

    def send(self) -> None:
        """A message is being sent now."""
        with self._shown:
            self._sent_at = time.perf_counter()

    def take(self, fragment: str, told_at: float) -> None:
        """What the page was given after an event."""
        now = time.perf_counter()
        newest = max(map(int, re.findall(self.ids, fragment)), default=0)
        with self._shown:
            if newest <= self._newest:
                return
            self._newest = newest
            if self._sent_at is not None:
                self.times.append(((told_at - self._sent_at) * 1000, (now - self._sent_at) * 1000))
                self._sent_at = None
                self._shown.notify_all()

    def await_it(self) -> None:
        """Wait until the message is shown; one that is not in time is given up."""
        with self._shown:
            self._shown.wait_for(lambda: self._sent_at is None, SEEN_WITHIN_S)
            self._sent_at = None


class Staff:
    """A member of staff, logged in."""

    def __init__(self, web_url: str, realtime_url: str, password: str) -> None:
        self._web_url = web_url
        self._realtime_url = realtime_url
        self.session = requests.Session()
        form = self.session.get(f"{web_url}/console/login", timeout=SEEN_WITHIN_S).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        if token is None:
            raise LabError("the login page has no form")
        asked = {"csrf_token": token[1], "name": USER, "password": password}
        answer = self.session.post(f"{web_url}/console/login", data=asked, timeout=SEEN_WITHIN_S)
        if not answer.url.endswith("/console/"):
            raise LabError(f"nobody could log in: HTTP {answer.status_code}")

    def fragment(self, path: str) -> str:
        """The live part of a page."""
        headers = {"HX-Request": "true", "X-Page-Visibility": "hidden", "X-Page-Part": "newest"}
        answer = self.session.get(self._web_url + path, headers=headers, timeout=SEEN_WITHIN_S)
        answer.raise_for_status()
        return answer.text

    @contextmanager
    def watching(self, path: str, query: str, page: Page) -> Iterator[None]:
        """Listen, and ask for *path* at each event, for the time of the block."""
        url = f"{self._realtime_url}/console/live{query}"
        answer = requests.get(url, cookies=self.session.cookies, stream=True, timeout=(SEEN_WITHIN_S, 60))
        answer.raise_for_status()

        def follow() -> None:
            for line in answer.iter_lines(chunk_size=1):
                if line == b"event: changed":
                    told_at = time.perf_counter()
                    page.take(self.fragment(path), told_at)

        thread = threading.Thread(target=_until_it_ends, args=[follow], daemon=True)
        thread.start()
        try:
            yield
        finally:
            answer.close()
            thread.join(SEEN_WITHIN_S)


def measure(kind: str, messages: int) -> Run:
    """Start a scratch desk and send *messages*, one after the other."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url = stack.enter_context(scratch_database(kind, folder))
        scratch = ScratchWeb(folder, url, {"PUBLIC_BASE_URL": ""})
        stack.enter_context(scratch.running())
        lab = scratch.lab
        stack.callback(lab.realtime.kill)
        lab.realtime.start()
        password = lab.frontdesk("user", "add", USER, "--tenant", TENANT).split()[-1]
        bodies = webhook_bodies(messages + NOT_COUNTED, 1, "AB")
        lab.post_webhook(json.loads(bodies[0])).raise_for_status()
        staff = Staff(lab.web_url, lab.realtime_url, password)
        the_list = Page("list", r'data-arrived="(\d+)"')
        thread = Page("thread", r'id="in-(\d+)"')
        number = _conversation(staff)
        stack.enter_context(staff.watching("/console/", "", the_list))
        path, query = f"/console/conversations/{number}", f"?conversation={number}"
        stack.enter_context(staff.watching(path, query, thread))
        webhook = list(_send(lab, bodies[1:], [the_list, thread], f"live, {kind}"))
    for page in (the_list, thread):
        page.times = page.times[-messages:]
    return Run(kind, webhook[-messages:], [the_list, thread], messages)


def _send(lab: Lab, bodies: Sequence[str], pages: Sequence[Page], label: str) -> Iterator[float]:
    """Post each body once its predecessor is shown; yields the webhook's answer times in ms."""
    pause = random.Random(SEED)  # noqa: S311 - no secret
    for body in tqdm(bodies, desc=label, disable=None):
        time.sleep(pause.uniform(*PAUSE_S))
        webhook = json.loads(body)
        for page in pages:
            page.send()
        began = time.perf_counter()
        lab.post_webhook(webhook).raise_for_status()
        yield (time.perf_counter() - began) * 1000
        for page in pages:
            page.await_it()


def _conversation(staff: Staff) -> str:
    """The id of the one conversation there is.

    Raises:
        LabError: there is none.
    """
    found = re.search(r'id="conversation-(\d+)"', staff.fragment("/console/"))
    if found is None:
        raise LabError("the list has no conversation")
    return found[1]


def _until_it_ends(follow: Callable[[], None]) -> None:
    # The connection is closed under it.
    with suppress(requests.RequestException, AttributeError, ValueError):
        follow()
