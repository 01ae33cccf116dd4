"""What a caller leaves is read back to them letter by letter, and only what they left."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.domain.conversations import HistoryLine, Reply, Speaker
from server.voice.addresses import address, phone
from server.voice.contacts import CONTACT_LEFT, ContactKind, contact_reply, find_contact
from server.voice.spoken import spoken

PREFERRED = ("en", "he")
READ_BACK = "I wrote down dana@gmail.com, spelled D, A, N, A. Is that right?"


def reply_to(words: str, said_before: str = "") -> Reply | None:
    history = [HistoryLine(Speaker.HOST, said_before)] if said_before else []
    return contact_reply(words, history, PREFERRED)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("dana at gmail dot com", "dana@gmail.com"),
        ("My e-mail is dana dot cohen at gmail dot com.", "dana.cohen@gmail.com"),
        ("it's d a n a at g mail dot com", "dana@gmail.com"),
        ("Dana@Gmail.com", "dana@gmail.com"),
        ("dana @ gmail.com", "dana@gmail.com"),
        ("you can write to dana underscore k 85 at walla dot co dot il please", "dana_k85@walla.co.il"),
        ("my email is info at harbour house dot co dot uk", "info@harbourhouse.co.uk"),
        ("dan dash k at yahoo dot com thanks", "dan-k@yahoo.com"),
        ("my mail is eight five at gmail dot com", "85@gmail.com"),
        ("המייל שלי dana שטרודל gmail נקודה com", "dana@gmail.com"),
        ("dana קו תחתון k שטרודל ג׳ימייל נקודה קום", "dana_k@gmail.com"),
    ],
)
def test_an_e_mail_address_is_found_as_it_was_said(words: str, written: str) -> None:
    contact = find_contact(words)
    assert contact is not None
    assert (contact.kind, contact.written) == (ContactKind.EMAIL, written)


@pytest.mark.parametrize(
    "words",
    [
        "call me on 054-123 4567",
        "+972 54 123 4567",
        "0541234567",
        "המספר שלי 03-123-4567",
        "it's 415-555-0132",
        "(415) 555 0132",
    ],
)
def test_a_telephone_number_is_found_as_it_stands(words: str) -> None:
    contact = find_contact(words)
    assert contact is not None
    assert contact.kind is ContactKind.PHONE
    assert contact.written in words


@pytest.mark.parametrize(
    "words",
    [
        "we booked at booking.com",
        "we booked at booking dot com",
        "meet me at seven",
        "my booking is 0541234",
        "4155550132",
        "room 412",
        "at gmail dot com",
        "dana at gmail",
        "",
        "@ . @",
        # Letters that no address is made of.
        "דנה שטרודל ג'ימייל נקודה קום",
    ],
)
def test_what_is_no_address_is_none(words: str) -> None:
    assert find_contact(words) is None
    assert reply_to(words) is None


def test_an_address_is_what_was_asked_for() -> None:
    words = "dana at harbour dot com"
    assert find_contact(words) is None
    contact = find_contact(words, "What is your e-mail address?")
    assert contact is not None
    assert contact.written == "dana@harbour.com"


names = st.from_regex(r"[a-z]{3,8}([._-][a-z]{3,8}|[0-9]{1,3})?", fullmatch=True)
domains = st.sampled_from(["gmail.com", "walla.co.il", "outlook.com", "yahoo.co.uk"])


@given(names, domains)
@example("the", "gmail.com")
def test_an_address_that_is_said_as_we_say_it_is_understood(name: str, domain: str) -> None:
    if name in ("its", "the", "and", "mail", "email", "address", "number"):
        return
    contact = find_contact(f"my e-mail is {address(f'{name}@{domain}', 'en')}")
    assert contact is not None
    assert contact.written == f"{name}@{domain}"


@given(st.text(alphabet="abc @.-_09+ דנה", max_size=80))
def test_no_words_break_it(words: str) -> None:
    reply_to(words)


def test_an_e_mail_address_is_read_back_for_the_ear_and_staff_hear_of_it() -> None:
    reply = reply_to("it is dana at gmail dot com")
    assert reply is not None
    assert (reply.text, reply.handover, reply.reason) == (READ_BACK, True, CONTACT_LEFT)
    assert spoken(reply.text, "en").startswith("I wrote down dana at gmail dot com, spelled D, A, N, A.")


def test_a_telephone_number_is_read_back_digit_by_digit() -> None:
    reply = reply_to("call me on 054-123-4567")
    assert reply is not None
    assert phone("054-123-4567", "en") in spoken(reply.text, "en")
    assert reply.text.endswith("Is that right?")


@pytest.mark.parametrize(
    ("words", "said_before"),
    [
        ("המייל שלי dana@gmail.com", ""),
        ("dana@gmail.com", "מה כתובת המייל?"),
        ("dana שטרודל gmail נקודה com", ""),
    ],
)
def test_a_hebrew_caller_is_read_to_in_hebrew(words: str, said_before: str) -> None:
    reply = reply_to(words, said_before)
    assert reply is not None
    assert reply.language == "he"
    assert reply.text.endswith("זה נכון?")


@pytest.mark.parametrize(
    "words",
    [
        "Is 03-123-4567 your number?",
        "is 03-123-4567 your number",
        "Can you bring me towels please and then the front desk may call me on 054-123-4567 about breakfast",
    ],
)
def test_who_asks_something_is_answered_that(words: str) -> None:
    assert reply_to(words) is None


def test_who_says_yes_is_thanked_and_staff_are_not_told_twice() -> None:
    reply = reply_to("Yes, that's right.", READ_BACK)
    assert reply is not None
    assert reply.text.startswith("Thank you")
    assert not reply.handover


@pytest.mark.parametrize(
    ("words", "language"), [("No.", "en"), ("no that's not right", "en"), ("לא נכון", "he")]
)
def test_who_says_no_is_asked_again(words: str, language: str) -> None:
    read = reply_to("המייל שלי dana@gmail.com") if language == "he" else reply_to("dana@gmail.com")
    assert read is not None
    reply = reply_to(words, read.text)
    assert reply is not None
    assert reply.language == language
    assert reply.text.endswith("?")
    assert not reply.handover


def test_who_says_it_again_is_read_to_again() -> None:
    reply = reply_to("no it's dina at gmail dot com", READ_BACK)
    assert reply is not None
    assert "dina@gmail.com" in reply.text


@pytest.mark.parametrize("said_before", ["", "Is that right?", "Breakfast is at seven."])
def test_yes_to_anything_else_is_none_of_this(said_before: str) -> None:
    assert reply_to("yes", said_before) is None


@pytest.mark.parametrize("words", ["when is breakfast", "no I wanted to ask about something else"])
def test_what_is_no_yes_and_no_no_is_answered_as_any_words(words: str) -> None:
    assert reply_to(words, READ_BACK) is None
