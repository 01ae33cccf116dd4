"""The threads that the console is measured on: two businesses, guests who write Hebrew and English.

Messages stand in the tables in the order of time, as they come to a desk, so that those of one conversation
lie apart. They are written by COPY, or by a prepared INSERT on SQLite.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, Table, func, insert, select, text
from tqdm import tqdm

from bench.console_texts import AGENCY, AGENCY_MARK, RARE_NAME, RARE_WORD, Words, make_name, make_words
from bench.messages import TENANT
from bench.scratch import open_engine
from server.store.models import ConversationRow, GuestRow, InboundRow, OutboxRow, TenantRow, TurnRow
from server.store.models.base import table_of

OTHER_TENANT = "2"
# The longest thread's.
AGENCY_ID = 1
_OTHER_SHARE = 0.1
# Of the busiest conversations; the others share what is left.
_SHARES_OF_THE_BUSIEST = (0.1, 0.02, 0.02, 0.02)
_SPAN = timedelta(days=700)
_LONGEST_STAY = timedelta(days=60)
_REPLY_TAKES = timedelta(seconds=2)
# How a share of the replies came about is told.
_TURN_EVERY = 3
_BATCH = 10_000

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A guest's message and the desk's answer, the *number*-th of all."""

    number: int
    at: datetime
    tenant_id: str
    conversation_id: int
    words: Words

    @property
    def turn_id(self) -> str | None:
        return f"filled-{self.number}" if self.number % _TURN_EVERY == 0 else None


def fill_console(url: str, conversations: int, messages: int) -> None:
    """Give the business *conversations* with *messages* in all, and another business a tenth of that beside.

    Half of the messages come in and half are replies; ids count from 1.

    Args:
        url: of a database that is migrated and seeded, and has no guests.
    """
    source = random.Random(7)  # noqa: S311 - repeatable on purpose
    others = max(round(conversations * _OTHER_SHARE), 1)
    moments = [
        *_moments(source, range(1, conversations + 1), messages // 2),
        *_moments(
            source,
            range(conversations + 1, conversations + others + 1),
            max(round(messages // 2 * _OTHER_SHARE), 1),
        ),
    ]
    moments.sort()
    with open_engine(url) as engine:
        with engine.begin() as connection:
            _add_other_tenant(connection)
            newest = {conversation_id: at for at, conversation_id in moments}
            _add_guests(connection, source, conversations, conversations + others, newest)
            with _no_index_of_texts(connection):
                _add_messages(connection, len(moments), _exchanges(source, moments, conversations))
        _settle(engine.connect())


@contextmanager
def _no_index_of_texts(connection: Connection) -> Iterator[None]:
    """Search's indices are made anew after the block: growing row by row takes them many times as long."""
    made = text("SELECT indexname, indexdef FROM pg_indexes WHERE starts_with(indexname, 'search_')")
    indices = connection.execute(made).all() if _is_postgres(connection) else []
    for name, _ in indices:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    for _, definition in indices:
        connection.execute(text(definition))


def _settle(connection: Connection) -> None:
    """What autovacuum does by and by: statistics, and on PostgreSQL notes which pages everybody may see."""
    with connection.execution_options(isolation_level="AUTOCOMMIT"):
        connection.execute(text("VACUUM ANALYZE" if _is_postgres(connection) else "ANALYZE"))


def _moments(source: random.Random, ids: Sequence[int], count: int) -> Iterator[tuple[datetime, int]]:
    """When somebody writes, and in which conversation: *count* in all."""
    end = datetime.now(UTC).replace(microsecond=0) - _REPLY_TAKES
    for place, size in enumerate(_sizes(source, len(ids), count)):
        is_busy = place < len(_SHARES_OF_THE_BUSIEST)
        stay = _SPAN if is_busy else _LONGEST_STAY * source.random()
        begin = end - stay - (_SPAN - stay) * source.random()
        for _ in range(size):
            yield begin + stay * source.random(), ids[place]


def _sizes(source: random.Random, conversations: int, count: int) -> Iterator[int]:
    """How many exchanges each conversation has, *count* in all, the busiest first."""
    busiest = [round(count * share) for share in _SHARES_OF_THE_BUSIEST[: conversations - 1]]
    yield from busiest
    weights = [source.lognormvariate(0, 0.7) for _ in range(conversations - len(busiest))]
    left, weight_left = count - sum(busiest), sum(weights)
    for weight in weights:
        size = round(left * weight / weight_left)
        yield size
        left, weight_left = left - size, weight_left - weight


def _exchanges(
    source: random.Random, moments: Iterable[tuple[datetime, int]], conversations: int
) -> Iterator[_Exchange]:
    has_rare_word = False
    for number, (at, conversation_id) in enumerate(moments, 1):
        words = make_words(source)
        if conversation_id == AGENCY_ID:
            words = Words(f"{words.question} {AGENCY_MARK}", words.answer, words.language)
        elif conversation_id <= conversations and not has_rare_word:
            # The oldest message of all: a search that goes back in time finds it last.
            words = Words(f"{words.question} {RARE_WORD}", words.answer, words.language)
            has_rare_word = True
        tenant_id = TENANT if conversation_id <= conversations else OTHER_TENANT
        yield _Exchange(number, at, tenant_id, conversation_id, words)


def _add_other_tenant(connection: Connection) -> None:
    settings = connection.execute(select(TenantRow.settings).where(TenantRow.id == TENANT)).scalar_one()
    row = {"id": OTHER_TENANT, "settings": settings, "knowledge_version": 0, "created_at": datetime.now(UTC)}
    connection.execute(insert(TenantRow), row)


def _add_guests(
    connection: Connection,
    source: random.Random,
    conversations: int,
    in_all: int,
    newest: Mapping[int, datetime],
) -> None:
    """A guest for each conversation, under its id; those above *conversations* are the other tenant's."""
    numbers = range(1, in_all + 1)
    names = {AGENCY_ID: AGENCY, conversations // 2: f"Ida {RARE_NAME}"}
    owners = {number: TENANT if number <= conversations else OTHER_TENANT for number in numbers}
    begin = datetime.now(UTC) - _SPAN
    guests = [
        {
            "id": number,
            "tenant_id": owners[number],
            "lid": f"{200_000_000_000 + number}@lid",
            "phone": f"9725{number:04d}{source.randrange(10_000):04d}@s.whatsapp.net",
            "name": names.get(number) or make_name(source),
            "created_at": begin,
        }
        for number in numbers
    ]
    threads = [
        {
            "id": number,
            "tenant_id": owners[number],
            "guest_id": number,
            "mode": source.choices(("ai", "human", "draft"), (90, 8, 2))[0],
            "needs_human_since": newest.get(number, begin) if source.random() < 0.05 else None,
            "language": source.choice(("en", "he")),
            "last_message_at": newest.get(number, begin) + _REPLY_TAKES,
            "created_at": begin,
        }
        for number in numbers
    ]
    connection.execute(insert(GuestRow), guests)
    connection.execute(insert(ConversationRow), threads)
    for row in (GuestRow, ConversationRow):
        _count_on(connection, table_of(row))


def _add_messages(connection: Connection, count: int, exchanges: Iterable[_Exchange]) -> None:
    write = _copy if _is_postgres(connection) else _insert
    with tqdm(total=2 * count, desc="Filling the database", unit=" messages", disable=None) as bar:
        for batch in _batches(exchanges):
            write(connection, table_of(TurnRow), map(_turn, filter(_has_turn, batch)))
            write(connection, table_of(OutboxRow), map(_reply, batch))
            write(connection, table_of(InboundRow), map(_message, batch))
            bar.update(2 * len(batch))
    for row in (OutboxRow, InboundRow):
        _count_on(connection, table_of(row))


def _has_turn(exchange: _Exchange) -> bool:
    return exchange.turn_id is not None


def _turn(exchange: _Exchange) -> Row:
    return {
        "id": exchange.turn_id,
        "tenant_id": exchange.tenant_id,
        "conversation_id": exchange.conversation_id,
        "source": "model",
        "language": exchange.words.language,
        "handover": False,
        "reason": "",
        "citations": [{"document": "parking.en", "title": "Parking", "score": 0.91}],
        "timings_ms": {"model": 812.5, "context": 6.25, "gate": 1.5},
        "analysis": {},
        "started_at": exchange.at,
        "committed_at": exchange.at + _REPLY_TAKES,
    }


def _reply(exchange: _Exchange) -> Row:
    at = exchange.at + _REPLY_TAKES
    return {
        "id": exchange.number,
        "tenant_id": exchange.tenant_id,
        "conversation_id": exchange.conversation_id,
        "turn_id": exchange.turn_id,
        "lane": f"conversation:{exchange.conversation_id}",
        "channel": "whatsapp",
        "kind": "reply",
        "to_address": f"{exchange.conversation_id}@lid",
        "text": exchange.words.answer,
        "message_id": f"filled-{exchange.number}",
        "state": "read",
        "reason": "",
        "attempts": 1,
        "due_at": at,
        "committed_at": at,
        "sent_at": at,
        "delivered_at": at,
        "read_at": at,
    }


def _message(exchange: _Exchange) -> Row:
    return {
        "id": exchange.number,
        "tenant_id": exchange.tenant_id,
        "conversation_id": exchange.conversation_id,
        "guest_id": exchange.conversation_id,
        "channel": "whatsapp",
        "from_me": False,
        "provider_id": f"filled-{exchange.number}",
        "sequence": 0,
        "reply_to": f"{exchange.conversation_id}@lid",
        "kind": "text",
        "text": exchange.words.question,
        "details": {},
        "sent_at": exchange.at,
        "received_at": exchange.at,
        "attempts": 0,
        "due_at": exchange.at,
        "handled_at": exchange.at,
        "covered_by": exchange.number,
        "unanswered_because": "",
    }


def _batches(exchanges: Iterable[_Exchange]) -> Iterator[Sequence[_Exchange]]:
    left = iter(exchanges)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _copy(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    names: Sequence[str] = ()
    lines = io.StringIO()
    for row in rows:
        names = list(row)
        lines.write("\t".join(map(_copied, row.values())) + "\n")
    lines.seek(0)
    cursor = connection.connection.cursor()
    cursor.copy_expert(f"COPY {table.name} ({', '.join(names)}) FROM STDIN", lines)


def _copied(value: object) -> str:
    if value is None:
        return "\\N"
    written = value.isoformat() if isinstance(value, datetime) else str(_plain(value))
    return written.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    written = list(rows)
    if not written:
        return
    names = list(written[0])
    marks = ", ".join("?" for _ in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    values = [tuple(map(_plain, row.values())) for row in written]
    connection.connection.cursor().executemany(statement, values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        # As SQLAlchemy writes times to SQLite, which compares them as texts.
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _count_on(connection: Connection, table: Table) -> None:
    """Let new rows be numbered above those that brought their ids with them; SQLite does so by itself."""
    if _is_postgres(connection):
        highest = select(func.max(table.c.id)).scalar_subquery()
        sequence = func.pg_get_serial_sequence(table.name, "id")
        connection.execute(select(func.setval(sequence, highest)))


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
