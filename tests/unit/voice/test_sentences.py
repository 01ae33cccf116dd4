"""Streamed text becomes sentences as soon as they are certain; how it was cut changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.voice.sentences import Lengths, SentenceSplitter

# Sentences as short as they are written, and clauses left alone.
ANY = Lengths(shortest=1, first_clause=1_000)


def split(text: str, lengths: Lengths = ANY) -> list[str]:
    splitter = SentenceSplitter(lengths)
    return [*splitter.feed(text), *splitter.finish()]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello.", "How are you?", "Fine!"],
        ["It costs 3.5 shekels.", "Breakfast too."],
        ["Ask Dr. Cohen.", "She knows."],
        ["Mrs. J. R. Levi and Prof. Stone came."],
        ["Bring e.g. a hat, i.e. shade.", "Thanks."],
        ["Take bus No. 5 to St. Peter's."],
        ["No.", "We have no pool."],
        ["Open 7.30 to 10.", "Then closed."],
        ["We open at 7 a.m. daily."],
        ["We open at 7 a.m.", "Breakfast follows."],
        ["Towels, soap etc. are free."],
        ["Towels, soap etc.", "All are free."],
        ["Write to info@example.com.", "We answer."],
        ["See www.example.co.il/rooms?x=1!2 for more.", "Really."],
        ["Have you seen booking.com?", "We are there."],
        ["Wait... maybe.", "Yes."],
        ["Wait…", "The pool is open."],
        ["Really?!", "Yes!!!", "Good."],
        ["He said \"yes.\"", "Then (so to say.)", "Done."],
        ["**Bold ends.**", "Next."],
        ["Min. ₪120 a night."],
        ["שלום לך.", "מה שלומך?", "טוב!"],
        ["ד\"ר כהן ועו\"ד לוי כאן.", "הם באו."],
        ["מגבות, סבון וכו' הכול חינם.", "בשמחה."],
        ["מגבות, סבון וכו'.", "הכול חינם."],
        ["ברח. הרצל 5 או בטל. 03-1234567."],
        ["המחיר 3.5 ש\"ח.", "תודה."],
        ["ארוחת הבוקר בשעה 7.", "הבריכה ב-8."],
        ["\u200fשלום.\u200f", "\u200fמה שלומך?"],
        ["Great!", "😊 See you."],
        ["Check-in: 15:00.", "Room 5.", "The key is inside."],
    ],
)  # fmt: skip
def test_sentences_end_where_they_end(sentences: list[str]) -> None:
    first, *after = split("Hello\n" + " ".join(sentences))
    assert first == "Hello"
    assert [one.strip("\u200f ") for one in after] == [one.strip("\u200f ") for one in sentences]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Pool\nGym\r\n\nSpa", ["Pool", "Gym", "Spa"]),
        ("1. Pool\n2. Gym\n- Spa", ["1. Pool", "2. Gym", "- Spa"]),
        ("Dr.\nCohen", ["Dr.", "Cohen"]),
        ("Yes!Great", ["Yes!", "Great"]),
        ("שלום.מה", ["שלום.", "מה"]),
        ("א.ב. כהן", ["א.ב. כהן"]),
        ("", []),
        (" \n ", []),
        ("...", ["..."]),
    ],
)
def test_lines_and_marks_without_a_space(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@pytest.mark.parametrize(
    ("text", "so_far"),
    [
        ("Hello.", []),
        ("Hello. ", ["Hello."]),
        ("Hello!", []),
        ("Hello! ", ["Hello!"]),
        ("At 7. ", []),
        ("At 7. T", ["At 7."]),
        ("Hello\n", ["Hello"]),
        ("שלום. ", ["שלום."]),
    ],
)
def test_a_sentence_comes_as_soon_as_it_is_certain(text: str, so_far: list[str]) -> None:
    splitter = SentenceSplitter(ANY)
    splitter.feed("First\n")
    assert splitter.feed(text) == so_far


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "Yes!",
        "Breakfast is in the garden.",
        "Do you arrive today?",
        "הבריכה פתוחה.",
        "It's (so) nice.",
    ],
)
def test_the_first_sentence_waits_for_nothing_after_a_plain_word(text: str) -> None:
    assert SentenceSplitter().feed(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.", "Ask Dr.", "Book on booking.", "Visit sunrise.", "We are Sunrise.", "See www.example.",
        "Write to a@b.", "It is (so.", 'She said "yes.', "מגבות וכו'.", "Please see Mrs.", "**Bold.",
    ],
)  # fmt: skip
def test_the_first_sentence_waits_where_its_end_is_in_doubt(text: str) -> None:
    assert SentenceSplitter().feed(text) == []


def test_marks_that_follow_a_first_sentence_stand_before_the_next() -> None:
    assert split("Wait... The pool is open.", ANY) == ["Wait.", ".. The pool is open."]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Breakfast is served from seven, and dinner", ["Breakfast is served from seven,"]),
        ("Breakfast is served daily – from ", ["Breakfast is served daily –"]),
        ("ארוחת הבוקר מוגשת בגינה שלנו, ואחריה", ["ארוחת הבוקר מוגשת בגינה שלנו,"]),
        ("Yes, we do", []),
        ("The price of the room is 1,200 and", []),
        ("Breakfast is from seven 7 – 10 and", []),
        ("The well-known place with sea-view rooms", []),
    ],
)
def test_a_long_first_sentence_begins_at_its_first_clause(text: str, first: list[str]) -> None:
    assert SentenceSplitter().feed(text) == first


def test_only_the_first_sentence_is_cut_at_a_clause() -> None:
    second = "Breakfast is served from seven, and dinner from eight."
    assert split(f"Sure. {second}", Lengths()) == ["Sure.", second]


def test_short_sentences_are_spoken_with_the_next() -> None:
    assert split("Sure. Yes. No. The pool is open. Bye.", Lengths()) == [
        "Sure.",
        "Yes. No. The pool is open.",
        "Bye.",
    ]


def test_a_long_sentence_is_cut_at_its_last_clause_or_word() -> None:
    text = "word " * 25 + "end, " + "more " * 40
    first, second, *_ = split(text, Lengths(first_clause=1_000))
    assert first.endswith("end,")
    assert second.endswith("more")
    assert len(second) > 190


def test_a_number_is_not_cut_in_two() -> None:
    lengths = Lengths(longest=24, shortest=1, first_clause=1_000)
    assert split("please call us 054 123 45 67 now", lengths) == ["please call us", "054 123 45 67 now"]


_PARTS = [*"aA5.,!?…-–:;'\"()/@ \nשל\u200f😊", "Dr.", "No. ", "etc. ", "www.", "וכו'. "]
_TEXT = st.lists(st.sampled_from(_PARTS), max_size=60).map("".join)


@given(_TEXT, st.data(), st.sampled_from([ANY, Lengths(), Lengths(longest=12, shortest=3, first_clause=4)]))
@example("a?! 5. B\u200f. c", None, ANY)
def test_how_the_stream_was_cut_changes_nothing(
    text: str, data: st.DataObject | None, lengths: Lengths
) -> None:
    cuts = (
        sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8))) if data else list(range(len(text)))
    )
    splitter = SentenceSplitter(lengths)
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [one for piece in pieces for one in splitter.feed(piece)] + splitter.finish() == split(
        text, lengths
    )


@given(_TEXT | st.text(max_size=500), st.sampled_from([ANY, Lengths(), Lengths(longest=12, shortest=3)]))
def test_nothing_is_lost_and_no_piece_is_too_long(text: str, lengths: Lengths) -> None:
    sentences = split(text, lengths)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(0 < len(one) <= lengths.longest for one in sentences)
    assert all(len(one.encode(errors="replace")) <= 5_000 for one in sentences)


@given(_TEXT)
def test_all_that_is_spoken_has_something_to_say(text: str) -> None:
    *before, _ = [*split(text), ""]
    for sentence in before[:-1]:
        assert any(character.isalnum() for character in sentence)
