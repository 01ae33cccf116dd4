"""E-mail to staff, over a stand-in that refuses what Resend refuses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from server.adapters.resend_mail import ResendMailer
from server.domain.messages import Channel, OutboundMessage
from server.domain.phrases import Phrase
from server.errors import ProviderRejected, ProviderUnavailable
from server.outbox.mail import MailSender, NoMail
from server.ports.mail import Mail
from server.translations import plain_text
from simulators.http_server import serve
from simulators.resend import DOMAIN, KEY, Resend
from tests.fakes.senders import FakeMailer

SENDER = f"Frontdesk <desk@{DOMAIN}>"
MAIL = Mail(to="owner@hotel.example", subject="It works", text="Really.", idempotency_key="3EB0AA")


@pytest.fixture
def resend() -> Resend:
    return Resend()


@pytest.fixture
def url(resend: Resend) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve(resend.handle, 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    asyncio.run_coroutine_threadsafe(close(server), loop).result(timeout=5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def close(server: asyncio.Server) -> None:
    """Listen no more, and see the farewells of clients who have gone."""
    server.close()
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def mailer(url: str) -> Iterator[ResendMailer]:
    made = ResendMailer(KEY, url, SENDER)
    yield made
    made.close()


def test_a_mail_arrives_once_though_it_is_sent_twice(mailer: ResendMailer, resend: Resend) -> None:
    mailer.deliver(MAIL)
    mailer.deliver(MAIL)
    assert resend.mails == [
        {"from": SENDER, "to": ["owner@hotel.example"], "subject": "It works", "text": "Really."}
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_is_worth_a_retry(mailer: ResendMailer, resend: Resend, status: int) -> None:
    resend.outages.append(status)
    with pytest.raises(ProviderUnavailable):
        mailer.deliver(MAIL)
    mailer.deliver(MAIL)
    assert len(resend.mails) == 1


@pytest.mark.parametrize(
    "mail", [replace(MAIL, to="nobody"), replace(MAIL, subject=""), replace(MAIL, text="")]
)
def test_what_is_no_mail_is_refused_for_good(mailer: ResendMailer, resend: Resend, mail: Mail) -> None:
    with pytest.raises(ProviderRejected):
        mailer.deliver(mail)
    assert resend.mails == []


@pytest.mark.parametrize(("key", "sender"), [("wrong", SENDER), (KEY, "desk@other.example"), (KEY, "nobody")])
def test_a_wrong_key_or_sender_is_refused_for_good(url: str, key: str, sender: str, resend: Resend) -> None:
    mailer = ResendMailer(key, url, sender)
    with pytest.raises(ProviderRejected):
        mailer.deliver(MAIL)
    mailer.close()
    assert resend.mails == []


def a_message(text: str) -> OutboundMessage:
    return OutboundMessage(
        id=1,
        tenant_id="1",
        channel=Channel.STAFF_EMAIL,
        lane="staff:1:x",
        to="owner@hotel.example",
        text=text,
        message_id="3EB0AA",
        attempts=1,
        committed_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_the_first_line_of_a_notice_is_the_subject() -> None:
    mailer = FakeMailer()
    MailSender(mailer).send(a_message("Dana needs a person:\nIs there parking?\nhttp://desk"))
    mail = mailer.delivered["3EB0AA"]
    assert (mail.subject, mail.text) == ("Dana needs a person", "Is there parking?\nhttp://desk")


def test_a_hebrew_subject_arrives_as_it_was_written(mailer: ResendMailer, resend: Resend) -> None:
    lines = [Phrase("{guest} needs a person:", guest="Maya"), "Is there parking?", "http://desk"]
    MailSender(mailer).send(a_message(plain_text(lines, "he")))
    (mail,) = resend.mails
    assert mail["subject"] == "\u200fנדרש מענה אנושי: \u2068Maya\u2069"
    assert mail["text"] == "\u200f\u2068Is there parking?\u2069\n\u200fhttp://desk"


def test_without_a_key_it_is_said_what_is_missing() -> None:
    with pytest.raises(ProviderRejected, match="RESEND_API_KEY"):
        NoMail().send(a_message("anything"))
