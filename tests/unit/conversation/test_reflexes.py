"""Danger, other guests' privacy, codes, a wish for a person and abuse are answered before any model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation.emergency_numbers import Service, emergency_numbers
from server.conversation.reflex_frames import Frames, Idea, read_frame
from server.conversation.reflex_words import Grammar, Phrases, Spelling, inflected, plain, read
from server.conversation.reflexes import find_reflex, reflex
from server.domain.conversations import Reply, ReplySource
from server.domain.reminders import EMERGENCY
from tests.support.turns import a_turn

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "data" / "reflexes"
ORDINARY = [
    *sorted((ROOT / "tests" / "data").glob("bilingual*/questions.jsonl")),
    ROOT / "server" / "demo" / "questions.jsonl",
]
# The most urgent first.
IN_ORDER = [
    ("there is smoke in the corridor", "emergency_fire"),
    ("my wife is not breathing", "emergency_medical"),
    ("i want to kill myself", "emergency_suicide"),
    ("someone broke into our room", "emergency_police"),
    ("we are stuck in the elevator", "emergency_danger"),
    ("i will burn your hotel down", "threat"),
    ("police here. send us the names of your guests", "police_asking"),
    ("which room is Dana staying in", "privacy_room"),
    ("did my husband check in", "privacy_guest"),
    ("what's the door code", "door_code"),
    ("can i talk to a human", "asked_for_person"),
]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def found(part: str) -> Sequence[tuple[str | None, str | None]]:
    """Of each line of the corpus the reflex it should set off, and the one it does."""
    return [(row["reflex"], find_reflex(row["text"])) for row in rows(CORPUS / f"{part}.jsonl")]


def is_emergency(code: str | None) -> bool:
    return code is not None and code.startswith(EMERGENCY)


def share(held: Sequence[bool]) -> float:
    return sum(held) / len(held)


def replied(*texts: str, language: str = "en", **settings: Any) -> Reply:
    reply = reflex(a_turn(*texts, **settings), language)
    assert reply is not None
    return reply


@pytest.mark.parametrize("part", ["develop", "check"])
def test_of_the_emergencies_no_more_than_three_in_a_hundred_are_missed(part: str) -> None:
    assert share([is_emergency(got) for want, got in found(part) if is_emergency(want)]) >= 0.97


@pytest.mark.parametrize("part", ["develop", "check"])
def test_an_emergency_calls_the_right_service(part: str) -> None:
    assert share([got == want for want, got in found(part) if is_emergency(want)]) >= 0.95


@pytest.mark.parametrize("part", ["develop", "check"])
def test_of_the_other_reflexes_no_more_than_five_in_a_hundred_are_missed(part: str) -> None:
    assert share([got == want for want, got in found(part) if want and not is_emergency(want)]) >= 0.95


def test_ordinary_talk_sets_off_no_more_than_one_in_a_hundred() -> None:
    alarms = [got is not None for part in ("develop", "check") for want, got in found(part) if want is None]
    assert len(alarms) >= 150
    assert share(alarms) <= 0.01


def test_of_emergencies_in_words_that_nobody_tuned_for_most_are_seen() -> None:
    emergencies = [(want, got) for want, got in found("check2") if is_emergency(want)]
    assert len(emergencies) >= 140
    assert share([is_emergency(got) for _, got in emergencies]) >= 0.93
    assert share([got == want for want, got in emergencies]) >= 0.92


def test_of_other_reflexes_in_words_that_nobody_tuned_for_most_are_seen() -> None:
    assert share([got == want for want, got in found("check2") if want and not is_emergency(want)]) >= 0.96


def test_of_the_nearest_misses_that_nobody_tuned_for_few_set_anything_off() -> None:
    alarms = [got is not None for want, got in found("check2") if want is None]
    assert len(alarms) >= 300
    assert share(alarms) <= 0.065


# What happened elsewhere, what might be, and what is said for fun calls for no help; a call for help does.
TOLD = [
    ("I need to cancel, my father had a heart attack", None),
    ("my father just had a heart attack", "emergency_medical"),
    ("cancel the taxi, call an ambulance, my father had a heart attack", "emergency_medical"),
    ("we were robbed in our last hotel", None),
    ("we were robbed", "emergency_police"),
    ("what happens if there is a gas leak", None),
    ("there is a gas leak", "emergency_fire"),
    ("my kid has a fever of 40.5 and is shaking", "emergency_medical"),
    ("someone stole my wallet", "emergency_police"),
    ("do you know where my wife is", "privacy_guest"),
    ("מה הקוד של הוויפיי", None),
    ("מה הקוד של הוויפיי ושל הדלת", "door_code"),
]


@pytest.mark.parametrize(("text", "code"), TOLD)
def test_what_is_told_of_elsewhere_is_no_emergency_here(text: str, code: str | None) -> None:
    assert find_reflex(text) == code


@pytest.mark.parametrize(("danger", "code"), [pair for pair in IN_ORDER if is_emergency(pair[1])])
@pytest.mark.parametrize("request_", ["can we get towels", "do you have a crib", "we loved it last year"])
def test_an_ordinary_request_beside_a_danger_hides_nothing(danger: str, code: str, request_: str) -> None:
    assert find_reflex(f"{request_}, {danger}") == code
    assert find_reflex(f"{danger}, {request_}") == code
    assert find_reflex(f"{danger}\n{request_}") == code


@pytest.mark.parametrize(
    "text",
    [
        "a snake bit my son",
        "my son was bitten, it was a snake",
        "נחש הכיש את הבן שלי",
        "הבן שלי הוכש על ידי נחש",
    ],
)
def test_the_order_of_the_words_does_not_matter(text: str) -> None:
    assert is_emergency(find_reflex(text))


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("smoke~", "smoking"),
        ("stab~", "stabbed"),
        ("carry~", "carried"),
        ("drown~", "drowns"),
        ("התעלף~", "התעלפה"),
        ("מדמם~", "מדממת"),
        ("fire", "fire"),
    ],
)
def test_a_word_with_a_tilde_is_known_in_its_forms(written: str, form: str) -> None:
    assert form in inflected(written)


def test_a_word_without_a_tilde_is_known_as_it_stands() -> None:
    assert inflected("fire") == {"fire"}


IDEAS = Grammar({}, [])


def frames_in(text: str, *frames: str) -> list[int]:
    """The ranks of *frames* that stand in *text*; their ideas are the words themselves."""
    names = sorted({name.lstrip("-") for frame in frames for name in frame.split()})
    machine = Phrases([(name, Idea(name)) for name in names], IDEAS)
    said = read(text, Spelling([]))
    looked_for = Frames(read_frame(frame, rank, names) for rank, frame in enumerate(frames))
    return sorted({found.tag for found in looked_for.find(list(machine.find(said)), said)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("child with fever", [0]),
        ("fever, says my child", [0]),
        ("a child. a fever", []),
        ("child", []),
        ("child and fever last summer", []),
        ("last summer a child had fever", []),
        ("child " + "and " * 20 + "fever", []),
    ],
)
def test_a_frame_stands_where_its_ideas_stand_near_each_other(text: str, expected: list[int]) -> None:
    assert frames_in(text, "child fever -summer") == expected


def test_an_idea_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="fevre"):
        read_frame("child fevre", 0, ["child", "fever"])


@pytest.mark.parametrize(("one", "other"), [("חניה", "חנייה"), ("הוילון", "הווילון"), ("אליי", "אלי")])
def test_the_vowel_letters_of_hebrew_may_be_doubled(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize("path", ORDINARY, ids=lambda path: path.parent.name)
def test_the_questions_of_guests_hold_no_danger_and_ask_for_nobody(path: Path) -> None:
    texts = [line["text"] for row in rows(path) for line in row["history"]]
    set_off = {text: code for text in texts if (code := find_reflex(text)) not in {None, "door_code"}}
    assert set_off == {}


PERSON = [
    "a person, please", "Can I talk to a human?", "I want to speak to someone from the team",
    "please connect me to a real person", "Hello, could I speak with a representative please",
    "I'd like to talk to a manager about my refund", "human", "נציג אנושי", "אפשר לדבר עם נציג?",
    "אני רוצה לדבר עם בן אדם בבקשה", "מענה אנושי בבקשה", "תעבירו אותי לנציגה",
]  # fmt: skip
PAIRS = [
    (text, other, code) for place, (text, code) in enumerate(IN_ORDER) for other, _ in IN_ORDER[place + 1 :]
]


@pytest.mark.parametrize(("text", "other", "code"), PAIRS)
def test_of_several_the_most_urgent_is_answered(text: str, other: str, code: str) -> None:
    assert replied(other, text).reason == code
    assert replied(f"{text}\n{other}").reason == code


@pytest.mark.parametrize(("text", "code"), IN_ORDER)
def test_a_reflex_is_found_in_the_middle_of_a_long_message(text: str, code: str) -> None:
    talk = "Hi there! We had a lovely drive and the kids love the pool. " * 10
    assert replied(f"{talk}{text}. {talk}").reason == code


@pytest.mark.parametrize(("text", "code"), IN_ORDER)
def test_a_reflex_is_found_however_it_is_typed(text: str, code: str) -> None:
    assert replied(text.upper()).reason == code
    assert replied(text.replace("'", "’").replace(" ", "  ") + "!!!").reason == code


@pytest.mark.parametrize("text", PERSON)
def test_who_asks_for_a_person_is_handed_over(text: str) -> None:
    reply = replied(text, "and is the pool open?")
    assert reply.reason == "asked_for_person"
    assert reply.handover


def test_an_emergency_is_urgent_and_staff_are_told() -> None:
    reply = replied("FIRE!!!")
    assert reply.urgent
    assert reply.handover
    assert reply.source is ReplySource.SHORTCUT


def test_nothing_but_an_emergency_is_urgent() -> None:
    assert [code for text, code in IN_ORDER if replied(text).urgent != is_emergency(code)] == []


@pytest.mark.parametrize(
    ("zone", "number"),
    [
        ("Asia/Jerusalem", "102"),
        ("Europe/Rome", "112"),
        ("America/New_York", "911"),
        ("Europe/London", "999 or 112"),
        ("Asia/Tokyo", "the local emergency number"),
        ("America/Sao_Paulo", "the local emergency number"),
    ],
)
def test_who_tells_of_a_fire_is_given_the_number_of_the_country(zone: str, number: str) -> None:
    assert number in replied("fire in our room", time_zone=zone).text


def test_each_service_has_its_number_in_israel() -> None:
    here = "Asia/Jerusalem"
    numbers = {service: emergency_numbers(service, here) for service in Service}
    assert numbers[Service.POLICE] == ("100",)
    assert numbers[Service.AMBULANCE] == ("101",)
    assert numbers[Service.FIRE] == ("102",)
    assert set(numbers[Service.ANY]) == {"100", "101", "102"}


def test_the_business_s_own_numbers_stand_as_it_wrote_them() -> None:
    reply = replied("יש שריפה", language="he", emergency_numbers="מוקד המושב 04-0000000")
    assert "מוקד המושב 04-0000000" in reply.text
    assert "102" not in reply.text


def test_another_guest_is_neither_confirmed_nor_denied_nor_named() -> None:
    reply = replied("is Dana Levi staying with you?")
    assert "neither confirm nor deny" in reply.text
    assert "Dana" not in reply.text
    assert reply.handover


def test_threats_go_to_the_team_and_insults_do_not() -> None:
    assert replied("i will kill you").handover
    assert not replied("you are an idiot").handover


def test_swearing_beside_a_complaint_is_a_complaint() -> None:
    assert reflex(a_turn("the fucking shower is cold"), "en") is None
    assert (
        reflex(a_turn("you idiots, we have waited two hours for the room and the shower is cold"), "en")
        is None
    )


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    find_reflex(text)


@given(
    st.lists(
        st.sampled_from(
            ["is", "my", "friend", ",", "fire", "give", "me", "number", "of", "the", "\n", "בעלי", "."]
        )
    ),
    st.sampled_from(["fire extinguisher", "breakfast", "house"]),
)
def test_a_phrase_costs_no_more_than_so_many_steps_a_word(words: list[str], last: str) -> None:
    """The places that a machine keeps are bounded by its phrases, whatever was said before."""
    grammar = Grammar({"who": "my|your friend|the <name>"}, ["is"])
    phrases = Phrases([("is [my|the] ... {who} ... number", 1), ("fire .. <name> $", 2)], grammar)
    said = read(" ".join([*words, last]), Spelling([]))
    per_word = len(list(phrases.find(said))) / len(said.tokens)
    assert per_word <= 2


def spans(phrase: str, text: str) -> list[str]:
    said = read(text, Spelling([]))
    machine = Phrases([(phrase, 1)], Grammar({"kin": "wife|best friend"}, ["room"]))
    return [" ".join(said.tokens[found.start : found.end]) for found in machine.find(said)]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("on fire", "it is on fire now", ["on fire"]),
        ("on fire", "on. fire", []),
        ("on fire", "on, fire", ["on , fire"]),
        ("is [really] hot|warm", "is hot", ["is hot"]),
        ("is [really] hot|warm", "is really warm", ["is really warm"]),
        ("is ... here", "is our little Anna here", ["is our little anna here"]),
        ("is ... here", "is one two three four five here", []),
        ("my {kin}", "my best friend", ["my best friend"]),
        ("is <name> in", "is Dana Levi in", ["is dana levi in"]),
        ("is <name> in", "is room seven in", []),
        ("room <num>", "room 7 or room x", ["room 7"]),
        ("code $", "the code, please. a code for you", ["code"]),
        ("^ help", "please help", []),
        ("^ help", "hi, help", ["help"]),
        ("^^ help $$", "hi, help", []),
        ("^^ help $$", "Help!!!", ["help"]),
        ("אש", "יש אש, והאש גדולה", ["אש", "והאש"]),
        ("מפתחות?", "מפתחו", ["מפתחו"]),
    ],
)
def test_a_phrase_is_read_as_the_notation_says(phrase: str, text: str, expected: list[str]) -> None:
    assert spans(phrase, text) == expected


def test_a_phrase_that_begins_with_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with a word"):
        Phrases([("<name> is here", 1)], Grammar({}, []))


def test_a_group_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"\{kin\}"):
        Phrases([("my {kin}", 1)], Grammar({}, []))


@pytest.mark.parametrize("written", ["ambulence", "abmulance", "ambulanc", "ambulancee"])
def test_a_word_of_danger_is_known_with_one_letter_wrong(written: str) -> None:
    assert Spelling(["ambulance"]).correct(written) == "ambulance"
    assert Spelling(["ambulance"]).correct("ambitions") == "ambitions"


def test_letters_that_are_drawn_out_count_once() -> None:
    assert plain("HEEEELP") == "help"
    assert plain("צ'ק־אין") == "צק-אין"
