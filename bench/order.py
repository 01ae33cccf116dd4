"""``frontdesk bench order``: several web and worker processes share the work and keep each guest's order.

The messages of a conversation come in turn through all web processes, one at a time as a sidecar forwards
them. Afterwards each must be covered by one reply, the replies of a conversation must cover its messages in
their order, and the sidecar's place must have got them in that order.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import requests
from sqlalchemy import text
from tqdm import tqdm

from bench.figures import Figure, Output, json_option
from bench.messages import webhook_bodies
from bench.scratch import open_engine, scratch_database
from bench.send_log import SendLog
from simulators.lab import Lab, wait_until
from simulators.whatsapp_client import WhatsAppSimulator

SENDERS = 8
_POST_TIMEOUT_S = 30.0
_SETTLE_TIMEOUT_S = 600.0

_EPILOG = """\b
Example:
  frontdesk bench order --messages 10000 --conversations 200
"""


@click.command("order", epilog=_EPILOG)
@click.option("--messages", type=click.IntRange(1), default=10_000, show_default=True, help="In all.")
@click.option("--conversations", type=click.IntRange(1), default=200, show_default=True, help="Guests.")
@click.option("--webs", type=click.IntRange(1), default=2, show_default=True, help="Web processes.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Worker processes.")
@json_option
def command(messages: int, conversations: int, webs: int, workers: int, as_json: bool) -> None:
    """Whether several processes on one PostgreSQL keep each guest's order; exit 1 if they do not."""
    setting = f"{webs} web, {workers} workers, {messages} messages, {conversations} conversations"
    output = Output(as_json=as_json, is_strict=False)
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database("postgres", Path(name)) as url,
        SendLog() as sends,
    ):
        lab = Lab(
            Path(name),
            WhatsAppSimulator(socket_url="", control_url="", root_key=""),
            {"DATABASE_URL": url, "WHATSAPP_URL": sends.url},
            webs=webs,
            workers=workers,
        )
        lab.prepare()
        processes = (*lab.webs, *lab.workers)
        try:
            for process in processes:
                process.start()
            started = time.monotonic()
            _post_all(lab, messages, conversations)
            _settle(url, messages)
            took_s = time.monotonic() - started
        finally:
            for process in processes:
                process.kill()
        books = Books.read(url)
        shares = [_turns_in(worker.log) for worker in lab.workers]
    output.add(
        Figure("order", setting, "messages covered once", books.covered, "messages"),
        Figure("order", setting, "messages not covered", messages - books.covered, "messages", budget=0),
        Figure("order", setting, "replies", len(books.replies), "replies"),
        Figure("order", setting, "out of order in the books", books.out_of_order(), "replies", budget=0),
        Figure(
            "order", setting, "sent out of order", books.sent_out_of_order(sends.ids), "replies", budget=0
        ),
        Figure("order", setting, "sent twice", len(sends.ids) - len(set(sends.ids)), "replies"),
        *(
            Figure("order", setting, f"turns of worker {number}", share, "turns")
            for number, share in enumerate(shares, 1)
        ),
        Figure("order", setting, "time", took_s, "s"),
    )
    output.close()
    if messages != books.covered or books.out_of_order() or books.sent_out_of_order(sends.ids):
        sys.exit(1)


def _post_all(lab: Lab, messages: int, conversations: int) -> None:
    bodies = webhook_bodies(messages, conversations, "order")
    with tqdm(desc="order", total=messages, unit=" messages", disable=None) as bar:

        def post_share(number: int) -> None:
            """The messages of every `SENDERS`-th guest, one at a time, through each web process in turn."""
            with requests.Session() as session:
                for place, body in enumerate(bodies):
                    guest = place % conversations
                    if guest % SENDERS != number:
                        continue
                    url = lab.web_urls[place // conversations % len(lab.web_urls)]
                    answer = session.post(
                        f"{url}/webhook/whatsapp/incoming",
                        data=body.encode(),
                        headers={"X-Internal-Secret": lab.secret, "Content-Type": "application/json"},
                        timeout=_POST_TIMEOUT_S,
                    )
                    answer.raise_for_status()
                    bar.update()

        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(post_share, range(SENDERS)))


def _settle(url: str, messages: int) -> None:
    open_work = text(
        "SELECT (SELECT count(*) FROM inbound_messages WHERE handled_at IS NULL)"
        " + (SELECT count(*) FROM outbox_messages WHERE state IN ('committed', 'sending'))"
    )

    with open_engine(url) as engine:

        def is_settled() -> bool:
            with engine.connect() as connection:
                return bool(connection.execute(open_work).scalar_one() == 0)

        wait_until(is_settled, _SETTLE_TIMEOUT_S, f"{messages} messages to be answered")


def _turns_in(log: Path) -> int:
    return log.read_text(encoding="utf-8", errors="replace").count("turn.committed")


class Books:
    """What the database says.

    Args:
        replies: (conversation, message id, ids of the messages that it covers), in the order of the commits.
    """

    def __init__(self, replies: Sequence[tuple[int, str, Sequence[int]]]) -> None:
        self.replies = replies

    @classmethod
    def read(cls, url: str) -> Books:
        """Everything that was answered."""
        with open_engine(url) as engine, engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT o.conversation_id, o.message_id, array_agg(i.id ORDER BY i.id)"
                    " FROM outbox_messages o JOIN inbound_messages i ON i.covered_by = o.id"
                    " WHERE o.kind = 'reply' GROUP BY o.id ORDER BY o.id"
                )
            ).all()
        return cls([(conversation, message_id, covered) for conversation, message_id, covered in rows])

    @property
    def covered(self) -> int:
        """How many messages a reply covers."""
        return sum(len(covered) for _, _, covered in self.replies)

    def out_of_order(self) -> int:
        """Replies that cover a message which came before one that an earlier reply has covered."""
        furthest: dict[int, int] = defaultdict(int)
        wrong = 0
        for conversation, _, covered in self.replies:
            wrong += covered[0] < furthest[conversation]
            furthest[conversation] = max(furthest[conversation], covered[-1])
        return wrong

    def sent_out_of_order(self, sent: Sequence[str]) -> int:
        """Replies that left after a later one of their conversation.

        Args:
            sent: message ids in the order in which they left, of replies and others.
        """
        places: Mapping[str, tuple[int, int]] = {
            message_id: (conversation, place)
            for place, (conversation, message_id, _) in enumerate(self.replies)
        }
        furthest: dict[int, int] = defaultdict(lambda: -1)
        wrong = 0
        for message_id in dict.fromkeys(sent):
            if message_id in places:
                conversation, place = places[message_id]
                wrong += place < furthest[conversation]
                furthest[conversation] = max(furthest[conversation], place)
        return wrong
