"""Whenever the web process dies of kill -9 over a draft, there is one draft of it, and it is sent once."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests

from bench.faults.crowd import MARK, marks_in
from bench.faults.installation import TENANT
from server.adapters.system_clock import SystemClock
from server.store.session import Database
from server.store.users import Users
from simulators.http_tap import Call
from simulators.lab import wait_until
from tests.faults.scene import ANSWER_TIMEOUT_S, Scene

PASSWORD = "a password of the test"
# Time enough to die meanwhile, and less than AI_TIMEOUT_S.
THINKS_MS = 5000
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(autouse=True)
def all_whole(scene: Scene) -> None:
    """Each test starts with everything whole."""
    scene.installation.mend()
    scene.whatsapp.clear_faults()
    scene.model.control(echo=MARK)
    scene.installation.await_ready()
    scene.await_state("open")


class Staff:
    """A member of staff at the console, whose session outlives the process that began it."""

    def __init__(self, scene: Scene) -> None:
        self._web_url = scene.installation.web_url
        with closing(Database(f"sqlite:///{scene.installation.database_file}")) as database:
            Users(database, SystemClock()).add(TENANT, "Noa", PASSWORD)
        self._session = requests.Session()
        form = {"csrf_token": self._token("login"), "name": "Noa", "password": PASSWORD}
        self._session.post(f"{self._web_url}/console/login", data=form, timeout=ANSWER_TIMEOUT_S)
        self._csrf_token = self._token("account")

    def post(self, path: str, **fields: str) -> None:
        """Send a form of a conversation's.

        Raises:
            requests.ConnectionError: the process died before it answered.
        """
        answer = requests.post(
            f"{self._web_url}/console/conversations/{path}",
            data={"csrf_token": self._csrf_token, **fields},
            cookies=self._session.cookies,
            allow_redirects=False,
            timeout=ANSWER_TIMEOUT_S,
        )
        assert answer.status_code == requests.codes.see_other, answer.text

    def _token(self, page: str) -> str:
        found = _TOKEN.search(self._session.get(f"{self._web_url}/console/{page}", timeout=30).text)
        assert found
        return html.unescape(found[1])


@dataclass(frozen=True)
class Draft:
    """A row of the database."""

    id: int
    state: str
    marks: list[str]


class Thread:
    """One guest, whom the desk has answered once before staff decide."""

    def __init__(self, scene: Scene, staff: Staff, mode: str) -> None:
        self._scene = scene
        self._staff = staff
        self.guest = scene.new_guest()
        self._answered = scene.ask(self.guest)
        scene.await_answers(self.guest, [self._answered])
        [(self.id,)] = self._rows(
            "SELECT c.id FROM conversations c JOIN guests g ON g.id = c.guest_id WHERE g.phone = ?",
            f"{self.guest}@s.whatsapp.net",
        )
        staff.post(f"{self.id}/mode", mode=mode)

    def drafts(self) -> list[Draft]:
        """All that were made here, oldest first."""
        rows = self._rows("SELECT id, state, text FROM drafts WHERE conversation_id = ? ORDER BY id", self.id)
        return [Draft(number, state, marks_in(text)) for number, state, text in rows]

    def await_draft(self, mark: str) -> Draft:
        """The one draft that is made for the question *mark*; the guest has heard nothing of it."""
        wait_until(lambda: bool(self.drafts()), ANSWER_TIMEOUT_S, "a draft")
        self.await_rest()
        [draft] = self.drafts()
        assert (draft.state, draft.marks) == ("open", [mark])
        assert self._scene.answers(self.guest) == [self._answered]
        return draft

    def await_rest(self) -> None:
        """Wait until nothing waits any more."""
        books = self._scene.installation.books
        wait_until(lambda: books.waiting() == 0, ANSWER_TIMEOUT_S, "nothing to wait")

    def send(self, draft: Draft) -> None:
        """Accept the draft."""
        self._staff.post(f"{self.id}/drafts/{draft.id}/send")

    def suggest(self) -> None:
        """Ask for a draft."""
        self._staff.post(f"{self.id}/suggest")

    def await_sent_once(self, mark: str) -> None:
        """The guest's phone gets the draft, once, and no other answer to the question *mark*."""
        self._scene.await_answers(self.guest, [self._answered, mark])
        assert [(draft.state, draft.marks) for draft in self.drafts()] == [("sent", [mark])]
        books = self._scene.installation.books
        ours = [entry for entry in books.outbox() if entry.conversation == self.id]
        assert [(entry.kind, marks_in(entry.text)) for entry in ours] == [
            ("reply", [self._answered]),
            ("staff", [mark]),
        ]
        [question] = [entry for entry in books.inbox() if mark in entry.text]
        assert (question.is_handled, question.covered_by) == (True, None)
        assert set(self._scene.whatsapp.guest(self.guest)["timesById"].values()) == {1}

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self._scene.installation.database_file, timeout=10)) as database:
            return database.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def staff(scene: Scene) -> Staff:
    return Staff(scene)


def kill_web(scene: Scene) -> None:
    scene.installation.supervisor.kill(scene.installation.process("web-1"))


@contextmanager
def nothing_is_committed(scene: Scene) -> Iterator[None]:
    """Whoever wants to write to the database waits."""
    file = scene.installation.database_file
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@contextmanager
def slow_model(scene: Scene) -> Iterator[Callable[[], None]]:
    """The model thinks for long; gives what waits until it was asked."""
    before = len(scene.calls)
    scene.model.control(echo=MARK, latency_first_token_ms=THINKS_MS)
    yield lambda: scene.await_call(before, is_model, "the model to be asked")
    scene.model.control(echo=MARK)


@contextmanager
def in_background(post: Callable[[], None]) -> Iterator[Future[None]]:
    """Send a form to a process that may die over it."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(post)


def is_model(call: Call) -> bool:
    return call.path.endswith("/chat/completions")


def is_left_to_staff(scene: Scene, question: str) -> bool:
    return any(entry.is_handled and question in entry.text for entry in scene.installation.books.inbox())


def test_who_dies_while_a_draft_is_thought_of_makes_one_afterwards(scene: Scene, staff: Staff) -> None:
    thread = Thread(scene, staff, "draft")
    with slow_model(scene) as await_asked:
        question = scene.ask(thread.guest)
        await_asked()
        kill_web(scene)
    draft = thread.await_draft(question)
    thread.send(draft)
    thread.await_sent_once(question)


def test_who_dies_before_a_draft_is_committed_makes_one_afterwards(scene: Scene, staff: Staff) -> None:
    thread = Thread(scene, staff, "draft")
    before = len(scene.calls)
    with slow_model(scene) as await_asked:
        question = scene.ask(thread.guest)
        await_asked()
    with nothing_is_committed(scene):
        scene.await_call(before, lambda call: is_model(call) and call.ended is not None, "the model's answer")
        assert thread.drafts() == []
        kill_web(scene)
    draft = thread.await_draft(question)
    thread.send(draft)
    thread.await_sent_once(question)


def test_who_dies_after_a_draft_was_committed_makes_no_other(scene: Scene, staff: Staff) -> None:
    thread = Thread(scene, staff, "draft")
    question = scene.ask(thread.guest)
    wait_until(lambda: bool(thread.drafts()), ANSWER_TIMEOUT_S, "a draft")
    kill_web(scene)
    scene.installation.await_ready()
    draft = thread.await_draft(question)
    thread.send(draft)
    thread.await_sent_once(question)


def test_who_dies_while_staff_wait_for_a_draft_leaves_none_and_the_question(
    scene: Scene, staff: Staff
) -> None:
    thread = Thread(scene, staff, "human")
    question = scene.ask(thread.guest)
    wait_until(lambda: is_left_to_staff(scene, question), ANSWER_TIMEOUT_S, "the turn to end")
    with slow_model(scene) as await_asked, in_background(thread.suggest) as suggesting:
        await_asked()
        kill_web(scene)
        assert isinstance(suggesting.exception(), requests.ConnectionError)
    scene.installation.await_ready()
    assert thread.drafts() == []
    thread.suggest()
    thread.send(thread.await_draft(question))
    thread.await_sent_once(question)


@pytest.fixture
def drafted(scene: Scene, staff: Staff) -> tuple[Thread, Draft]:
    """A draft that waits for staff."""
    thread = Thread(scene, staff, "draft")
    question = scene.ask(thread.guest)
    return thread, thread.await_draft(question)


def test_who_dies_before_the_sending_is_committed_leaves_the_draft_open(
    scene: Scene, drafted: tuple[Thread, Draft]
) -> None:
    thread, draft = drafted
    with nothing_is_committed(scene), in_background(partial(thread.send, draft)) as sending:
        # Answered behind it, by a process that cannot have committed it.
        requests.get(f"{scene.installation.web_url}/livez", timeout=ANSWER_TIMEOUT_S)
        kill_web(scene)
        assert isinstance(sending.exception(), requests.ConnectionError)
    scene.installation.await_ready()
    assert thread.await_draft(draft.marks[0]) == draft
    thread.send(draft)
    thread.await_sent_once(draft.marks[0])


def test_what_was_committed_when_the_process_died_leaves_once(
    scene: Scene, drafted: tuple[Thread, Draft]
) -> None:
    thread, draft = drafted
    do = scene.installation.switchboard.do
    do(scene.wire("sidecar").cut())
    thread.send(draft)
    kill_web(scene)
    do(scene.wire("sidecar").mend())
    scene.installation.await_ready()
    # Whoever pressed the button does so again.
    thread.send(draft)
    thread.await_sent_once(draft.marks[0])


@pytest.mark.parametrize("victim", ["web-1", "sidecar-1"])
def test_what_was_being_sent_when_a_process_died_reaches_the_phone_once(
    scene: Scene, drafted: tuple[Thread, Draft], victim: str
) -> None:
    thread, draft = drafted
    scene.whatsapp.fault("ack-delay", ms=1000)
    before = len(scene.calls)
    thread.send(draft)
    scene.await_call(before, lambda call: call.path == "/send", "the sending")
    scene.installation.supervisor.kill(scene.installation.process(victim))
    scene.installation.await_ready()
    thread.send(draft)
    thread.await_sent_once(draft.marks[0])
