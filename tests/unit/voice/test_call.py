"""A call is answered, gives way to its caller, and never leaves them in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.domain.calls import Call, NextStep
from server.domain.conversations import HistoryLine, Mode, Speaker
from server.domain.knowledge import Citation
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.speech import FinalTranscript, InterimTranscript
from server.voice import call as call_module
from server.voice import floor, journal, keys
from server.voice.lines import Line, greeting, line
from tests.fakes.speech import FakeSpeechToText, FakeTextToSpeech
from tests.support.phone_lines import Phone, a_call, a_phone, a_reply

BREAKFAST = "When is breakfast?"
LONG = "Breakfast is served from seven to ten. You find it in the garden room. It is free for children."
FIRST, SECOND, THIRD = (
    "Breakfast is served from seven to ten.",
    "You find it in the garden room.",
    "It is free for children.",
)
GREETING = greeting(a_call().tenant.settings, "en")

MakePhone = Callable[..., Phone]


@pytest.fixture
async def make_phone() -> AsyncIterator[MakePhone]:
    """Makes calls; at the end none of them has left a task, a detector or a recognition behind."""
    made: list[Phone] = []

    def make(call: Call | None = None, **parts: Any) -> Phone:
        made.append(a_phone(call, **parts))
        return made[-1]

    yield make
    for phone in made:
        phone.hangs_up()
        await phone.ends()
        assert phone.detectors.lent == 0
        assert phone.ear.is_closed
    # Generators that were closed end on the loop's next turns.
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
async def phone(make_phone: MakePhone) -> Phone:
    """A call whose greeting was heard."""
    return await greeted(make_phone())


async def greeted(made: Phone) -> Phone:
    await made.until(lambda: made.said != [])
    await made.hears_out(len(made.said))
    await made.until(lambda: len(made.asking.kept) == 1)
    made.asking.answers[BREAKFAST] = a_reply(LONG)
    return made


@pytest.fixture
def short_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_module, "SILENCE_S", 0.05)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PAUSE_S", 0.05)
    monkeypatch.setattr(keys, "PERSON_PAUSE_S", 0.05)


async def answering(phone: Phone) -> None:
    """The caller has asked, and all of the long answer is on its way."""
    phone.says(BREAKFAST)
    await phone.sends(THIRD)


async def test_the_greeting_is_said_first_and_kept(phone: Phone) -> None:
    assert " ".join(phone.said) == GREETING
    assert phone.told() == [("", GREETING)]


async def test_a_question_is_answered_sentence_by_sentence_with_a_mark_behind_each(phone: Phone) -> None:
    phone.sent.clear()
    await answering(phone)
    assert phone.said[-3:] == [FIRST, SECOND, THIRD]
    spoken = [
        kind
        for kind, next_kind in zip(phone.kinds(), [*phone.kinds()[1:], ""], strict=True)
        if kind != next_kind
    ]
    assert spoken == ["media", "mark"] * 3
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1] == (BREAKFAST, LONG)


async def test_the_moments_of_a_turn_are_kept_with_it(phone: Phone) -> None:
    await answering(phone)
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    steps = phone.asking.kept[1].reply.steps_ms
    assert set(steps) == {
        "final_words",
        "decided",
        "first_token",
        "first_sentence",
        "first_audio",
        "first_mark",
    }
    assert steps["decided"] <= steps["first_audio"] <= steps["first_mark"]


async def test_what_was_said_before_is_known_to_the_next_answer(make_phone: MakePhone) -> None:
    earlier = HistoryLine(Speaker.GUEST, "I wrote about a crib")
    phone = await greeted(make_phone(a_call(history=(earlier,))))
    phone.says("Is there a crib?")
    await phone.until(lambda: len(phone.asking.histories) == 1)
    assert phone.asking.histories[0] == (earlier, HistoryLine(Speaker.HOST, GREETING))


async def test_a_voice_clears_the_line_and_the_log_holds_what_was_heard(phone: Phone) -> None:
    await answering(phone)
    phone.returns_marks(but=2)
    phone.speaks(0.2)
    await phone.until(lambda: "clear" in phone.kinds())
    # Nothing of the old answer comes after it, and the marks that it sent back are not believed.
    assert phone.kinds()[-1] == "clear"
    phone.returns_marks()
    phone.says("No, I meant parking.")
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1][0] == BREAKFAST
    assert phone.told()[1][1].startswith(FIRST)
    assert THIRD not in phone.told()[1][1]
    await phone.until(lambda: phone.asking.asked[-1] == "No, I meant parking.")


async def test_a_voice_stops_an_answer_that_is_still_being_made(phone: Phone) -> None:
    going_on = asyncio.Event()
    phone.tts.outages = [("middle", going_on)]
    phone.says(BREAKFAST)
    await phone.until(lambda: phone.kinds()[-1] == "media")
    phone.speaks(0.2)
    await phone.until(lambda: phone.kinds()[-1] == "clear")
    going_on.set()
    await phone.until(lambda: FIRST in phone.tts.left_early)
    assert phone.kinds()[-1] == "clear"


async def test_after_a_cough_the_rest_is_said(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "NO_WORDS_S", 0.02)
    await answering(phone)
    sentences = phone.kinds().count("mark")
    phone.speaks(0.2)
    phone.falls_silent()
    # What was sent was not heard yet: all three are said again.
    await phone.until(lambda: phone.kinds().count("mark") == sentences + 3)
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1] == (BREAKFAST, LONG)
    assert phone.asking.asked == [BREAKFAST]


@pytest.mark.parametrize("sound", ["mm-hm", "okay", "yes"])
async def test_a_sound_of_listening_does_not_end_an_answer(phone: Phone, sound: str) -> None:
    await answering(phone)
    phone.says(sound)
    await phone.until(lambda: phone.said.count(THIRD) == 2)
    assert phone.asking.asked == [BREAKFAST]


async def test_a_sound_of_listening_that_no_voice_was_heard_for_changes_nothing(phone: Phone) -> None:
    await answering(phone)
    phone.understood("okay")
    phone.ear.tell(InterimTranscript("", 0.0, "en"))
    await asyncio.sleep(0.05)
    assert "clear" not in phone.kinds()
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1] == (BREAKFAST, LONG)


async def test_yes_is_a_reply_to_a_question_of_the_desks(phone: Phone) -> None:
    phone.asking.answers["A room please."] = a_reply("There are several of them. For two nights?")
    phone.says("A room please.")
    await phone.sends("For two nights?")
    phone.returns_marks(but=1)
    phone.says("yes")
    await phone.until(lambda: phone.asking.asked[-1] == "yes")


async def test_words_without_a_voice_take_the_floor_all_the_same(phone: Phone) -> None:
    await answering(phone)
    phone.returns_marks(but=2)
    phone.understood("Where can I park?")
    await phone.until(lambda: "clear" in phone.kinds())
    await phone.until(lambda: phone.asking.asked[-1] == "Where can I park?")
    await phone.sends("That is so.")
    assert phone.kinds().index("clear") < len(phone.kinds()) - 1


async def test_an_answer_is_begun_on_likely_words_and_said_when_they_are_final(phone: Phone) -> None:
    sentences = len(phone.said)
    phone.speaks(0.3)
    phone.ear.tell(InterimTranscript(BREAKFAST, 0.9, "en"))
    await phone.until(lambda: len(phone.said) > sentences)
    media = phone.kinds().count("media")
    assert phone.asking.asked == [BREAKFAST]
    phone.falls_silent()
    phone.ear.tell(FinalTranscript(BREAKFAST, "en", 0.9, 0.0))
    await phone.until(lambda: phone.kinds().count("media") > media)
    assert phone.asking.asked == [BREAKFAST]


async def test_words_that_change_void_what_was_begun(phone: Phone) -> None:
    phone.asking.held[BREAKFAST] = asyncio.Event()
    phone.speaks(0.3)
    phone.ear.tell(InterimTranscript(BREAKFAST, 0.9, "en"))
    await phone.until(lambda: phone.asking.asked == [BREAKFAST])
    phone.falls_silent()
    phone.ear.tell(FinalTranscript("When is breakfast on Sunday?", "en", 0.9, 0.0))
    await phone.until(lambda: phone.asking.left == [BREAKFAST])
    await phone.hears_out()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1][0] == "When is breakfast on Sunday?"


async def test_what_a_caller_adds_before_hearing_a_word_belongs_to_the_question(phone: Phone) -> None:
    phone.asking.held[BREAKFAST] = asyncio.Event()
    phone.says(BREAKFAST)
    await phone.until(lambda: phone.asking.asked == [BREAKFAST])
    await asyncio.sleep(0.02)
    phone.says("And is it free?")
    await phone.until(lambda: phone.asking.left == [BREAKFAST])
    joined = f"{BREAKFAST} And is it free?"
    await phone.until(lambda: phone.asking.asked[-1] == joined)
    await phone.sends_marks(len(phone.said))
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1][0] == joined


async def test_an_answer_does_not_begin_while_the_caller_speaks(phone: Phone) -> None:
    phone.asking.held[BREAKFAST] = held = asyncio.Event()
    phone.says(BREAKFAST)
    await phone.until(lambda: phone.asking.asked == [BREAKFAST])
    await asyncio.sleep(0.02)
    sent = len(phone.sent)
    phone.speaks(0.3)
    held.set()
    await asyncio.sleep(0.05)
    assert len(phone.sent) == sent


async def test_words_over_the_greeting_are_answered(make_phone: MakePhone) -> None:
    phone = make_phone()
    await phone.sends_marks(1)
    phone.says(BREAKFAST)
    await phone.until(lambda: "clear" in phone.kinds())
    await phone.until(lambda: phone.asking.asked == [BREAKFAST])


async def test_the_recognisers_last_word_replaces_an_answer_that_nobody_heard(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.asking.held["Is there barking?"] = asyncio.Event()
    phone.speaks(0.3)
    phone.ear.tell(InterimTranscript("Is there barking?", 0.5, "en"))
    await asyncio.sleep(0.01)
    phone.falls_silent()
    # Silence ends the turn before the final words are there.
    await phone.until(lambda: phone.asking.asked == ["Is there barking?"])
    await asyncio.sleep(0.5)
    phone.ear.tell(FinalTranscript("Is there parking?", "en", 0.9, 0.0))
    await phone.until(lambda: phone.asking.asked[-1] == "Is there parking?")
    await phone.until(lambda: phone.said[-1] == "That is so.")
    assert phone.asking.left == ["Is there barking?"]


async def test_a_person_is_asked_for_and_put_through_once_that_was_said(phone: Phone) -> None:
    phone.asking.answers["A person please."] = a_reply(
        "I am getting somebody.", reason="asked_for_person", handover=True
    )
    phone.says("A person please.")
    await phone.sends_marks(3)
    assert not phone.running.done()
    phone.returns_marks()
    assert await phone.ends() == (NextStep.TRANSFER, "")
    assert phone.told()[1] == ("A person please.", "I am getting somebody.")


async def test_without_a_number_to_put_through_to_the_call_goes_on(make_phone: MakePhone) -> None:
    phone = await greeted(make_phone(a_call(transfer_number="")))
    phone.asking.answers["A person please."] = a_reply("I have told the team.", reason="asked_for_person")
    phone.says("A person please.")
    await phone.hears_out()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert not phone.running.done()


async def test_what_a_caller_asks_over_a_goodbye_is_answered_and_the_call_goes_on(phone: Phone) -> None:
    phone.says("thanks, bye")
    await phone.sends("Goodbye!")
    phone.returns_marks(but=1)
    phone.says(BREAKFAST)
    await phone.sends(THIRD)
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) >= 2)
    assert not phone.running.done()


@pytest.mark.usefixtures("short_pauses")
async def test_key_0_clears_the_line_and_puts_through(phone: Phone) -> None:
    await answering(phone)
    phone.presses("0")
    await phone.sends(line(Line.TRANSFERRING, "en"))
    assert "clear" in phone.kinds()
    phone.presses("0")
    phone.returns_marks()
    assert (await phone.ends())[0] is NextStep.TRANSFER
    assert phone.asking.kept[-1].reply.handover


@pytest.mark.usefixtures("short_pauses")
async def test_key_0_where_there_is_nobody_tells_when_the_team_is_back(make_phone: MakePhone) -> None:
    in_three_days = datetime.now(UTC) + timedelta(days=3)
    hours = f"{in_three_days:%A}"[:2] + " 08:00-18:00"
    phone = await greeted(make_phone(a_call(transfer_number="", office_hours=hours)))
    phone.presses("0")
    await phone.sends(line(Line.NOBODY_ANSWERED, "en"))
    await phone.until(lambda: phone.said[-1].startswith("The team is back on "))
    phone.returns_marks()
    assert (await phone.ends())[0] is NextStep.MESSAGE


async def test_digits_are_heard_as_words_once_all_are_pressed(phone: Phone) -> None:
    await answering(phone)
    phone.asking.answers["4729"] = a_reply("Your room is ready.")
    for key in "4729":
        phone.presses(key)
    await phone.until(lambda: "clear" in phone.kinds())
    assert "4729" not in phone.asking.asked
    phone.presses("#")
    await phone.sends("Your room is ready.")
    phone.returns_marks()
    await phone.until(lambda: ("4729", "Your room is ready.") in phone.told())


@pytest.mark.usefixtures("short_pauses")
async def test_digits_without_a_last_key_are_heard_after_a_pause(phone: Phone) -> None:
    for key in "4709":
        phone.presses(key)
    await phone.until(lambda: phone.asking.asked == ["4709"])
    assert not phone.running.done()


@pytest.mark.parametrize("key", ["#", "A"])
async def test_a_key_that_means_nothing_changes_nothing(phone: Phone, key: str) -> None:
    await answering(phone)
    phone.presses(key)
    await asyncio.sleep(0)
    assert "clear" not in phone.kinds()
    phone.returns_marks()
    await phone.until(lambda: (BREAKFAST, LONG) in phone.told())


async def test_a_star_repeats_the_last_answer(phone: Phone) -> None:
    await answering(phone)
    phone.returns_marks(but=2)
    sent = phone.kinds().count("mark")
    phone.presses("*")
    await phone.sends_marks(sent + 3)
    assert phone.said[-3:] == [FIRST, SECOND, THIRD]
    phone.returns_marks()
    await phone.until(lambda: phone.told()[-1] == ("*", LONG))
    assert phone.asking.asked == [BREAKFAST]


async def test_a_star_before_any_answer_repeats_the_greeting(phone: Phone) -> None:
    phone.presses("*")
    await phone.until(lambda: " ".join(phone.said) == f"{GREETING} {GREETING}")


@pytest.mark.parametrize(
    "reason",
    [{"mode": Mode.HUMAN}, {"mode": Mode.DRAFT}, {"ai_paused": True}],
    ids=["taken over", "drafts", "paused"],
)
async def test_what_is_not_for_the_desk_is_put_through_once(
    make_phone: MakePhone, reason: dict[str, Any]
) -> None:
    phone = make_phone(a_call(**reason))
    await phone.hears_out()
    assert (await phone.ends())[0] is NextStep.TRANSFER
    back = make_phone(a_call(**reason, to_say="Nobody is there."))
    await back.hears_out()
    assert (await back.ends())[0] is NextStep.MESSAGE


@pytest.mark.usefixtures("short_silences")
async def test_a_silent_caller_is_asked_once_and_then_said_goodbye_to(phone: Phone) -> None:
    phone.falls_silent()
    await phone.hears_out()
    assert phone.said[-1] == line(Line.STILL_THERE, "en")
    await phone.until(lambda: phone.said[-1] == "Goodbye!")
    await phone.sends_marks(len(phone.said))
    phone.returns_marks()
    assert await phone.ends() == (NextStep.HANG_UP, "")


@pytest.mark.usefixtures("short_silences")
@pytest.mark.parametrize("noise", ["cough", "um"])
async def test_a_caller_who_makes_a_sound_and_says_nothing_is_not_left_in_silence(
    phone: Phone, noise: str
) -> None:
    phone.speaks(0.2)
    if noise == "um":
        phone.understood("um")
    phone.falls_silent()
    await phone.until(lambda: phone.said[-1] == line(Line.STILL_THERE, "en"))


async def test_a_farewell_is_answered_and_hangs_up(phone: Phone) -> None:
    phone.says("thanks, bye")
    await phone.sends("Goodbye!")
    phone.returns_marks()
    assert await phone.ends() == (NextStep.HANG_UP, "")
    assert phone.asking.asked == []
    assert phone.told()[-1] == ("thanks, bye", line(Line.GOODBYE, "en"))


async def test_an_answer_that_takes_long_is_announced_again_and_again_and_not_logged(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "FILLER_S", 0.0)
    monkeypatch.setattr("tests.fakes.speech._BYTES_A_CHARACTER", 8)
    phone.asking.held[BREAKFAST] = held = asyncio.Event()
    phone.says(BREAKFAST)
    await phone.until(lambda: phone.said[-1] == line(Line.STILL_LOOKING, "en"))
    assert line(Line.ONE_MOMENT, "en") in phone.said
    held.set()
    await phone.sends(THIRD)
    phone.returns_marks()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1] == (BREAKFAST, LONG)


async def test_marks_that_never_come_hold_nothing_up(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "_MARKS_WITHIN_S", 0.0)
    monkeypatch.setattr("tests.fakes.speech._BYTES_A_CHARACTER", 8)
    await answering(phone)
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.told()[1] == (BREAKFAST, LONG)


@pytest.mark.parametrize("error", [ProviderTimeout("speech", "late"), ProviderUnavailable("speech", "gone")])
async def test_a_recogniser_that_fails_leaves_the_call_to_other_means(phone: Phone, error: Exception) -> None:
    phone.ear.fail(error)  # type: ignore[arg-type]
    assert await phone.ends() == (NextStep.ASK, line(Line.NOT_HEARD, "en"))


async def test_a_recogniser_that_hangs_is_noticed_by_the_voice_it_does_not_hear(
    make_phone: MakePhone,
) -> None:
    phone = await greeted(make_phone(stt=FakeSpeechToText(answer_s=0.02)))
    phone.speaks(0.3)
    assert (await phone.ends())[0] is NextStep.ASK


async def test_a_recogniser_that_fails_during_an_answer_leaves_its_rest_to_be_said(phone: Phone) -> None:
    await answering(phone)
    phone.ear.fail(ProviderUnavailable("speech", "gone"))
    step, to_say = await phone.ends()
    assert step is NextStep.ASK
    assert to_say.endswith(f"{SECOND} {THIRD}")


@pytest.mark.parametrize("place", ["first", "middle"])
async def test_a_voice_that_fails_leaves_all_that_was_not_heard_to_be_said(phone: Phone, place: str) -> None:
    phone.tts.outages = [(place, ProviderUnavailable("tts", "gone"))]
    phone.says(BREAKFAST)
    assert await phone.ends() == (NextStep.ASK, LONG)


async def test_a_language_without_a_voice_is_left_to_other_means(make_phone: MakePhone) -> None:
    phone = make_phone(tts=FakeTextToSpeech(languages=("he",)))
    step, to_say = await phone.ends()
    assert (step, to_say) == (NextStep.ASK, GREETING)


async def test_an_engine_that_fails_is_owned_up_to(phone: Phone) -> None:
    phone.asking.answers[BREAKFAST] = ProviderRejected("model", "no")
    phone.says(BREAKFAST)
    assert await phone.ends() == (NextStep.ASK, line(Line.SORRY, "en"))


async def being_answered(phone: Phone) -> asyncio.Event:
    """Two sentences are heard, and the model has more to say once the event is set."""
    going_on = asyncio.Event()
    phone.asking.answers[BREAKFAST] = a_reply(
        LONG, citations=[Citation("doc", "Breakfast", 0.9)], handover=True
    )
    phone.asking.pauses[BREAKFAST] = going_on
    phone.says(BREAKFAST)
    await phone.sends(SECOND)
    phone.returns_marks()
    return going_on


async def test_a_caller_who_hangs_up_in_an_answer_leaves_what_was_heard_and_no_task(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CONCLUDES_WITHIN_S", 0.05)
    phone.asking.held[BREAKFAST] = asyncio.Event()
    phone.says(BREAKFAST)
    await phone.until(lambda: phone.asking.asked == [BREAKFAST])
    phone.hangs_up()
    assert (await phone.ends())[0] is NextStep.HANG_UP
    assert phone.told()[1] == (BREAKFAST, "")
    assert phone.asking.left == [BREAKFAST]


async def test_an_answer_that_was_cut_short_while_it_was_made_is_in_the_log_with_all_that_came_of_it(
    phone: Phone,
) -> None:
    going_on = await being_answered(phone)
    phone.says("No, I meant parking.")
    await phone.until(lambda: phone.asking.asked[-1] == "No, I meant parking.")
    await phone.until(lambda: len(phone.asking.kept) == 2)
    assert phone.asking.kept[1].reply.text == phone.asking.kept[1].told
    going_on.set()
    await phone.until(lambda: len(phone.asking.kept) == 3)
    first, again = phone.asking.kept[1:]
    assert (again.number, again.words, again.told) == (first.number, BREAKFAST, first.told)
    assert (again.reply.text, again.reply.handover) == (LONG, True)
    assert [citation.document for citation in again.reply.citations] == ["doc"]
    assert again.ended_at == first.ended_at
    assert "first_audio" in again.reply.steps_ms


async def test_who_hangs_up_while_an_answer_is_made_leaves_all_of_it_in_the_log(phone: Phone) -> None:
    going_on = await being_answered(phone)
    phone.hangs_up()
    await phone.until(lambda: len(phone.asking.kept) == 2)
    going_on.set()
    await phone.ends()
    assert phone.asking.kept[-1].reply.text == LONG
    assert LONG.startswith(phone.asking.kept[-1].told)


async def test_a_call_that_goes_on_elsewhere_does_not_wait_for_an_answer_to_be_made(phone: Phone) -> None:
    await being_answered(phone)
    phone.live.lose_socket()
    assert (await phone.ends())[0] is NextStep.ASK
    assert phone.asking.left == [BREAKFAST]


async def test_words_that_are_corrected_after_part_of_the_answer_was_heard_stand_corrected_in_the_log(
    phone: Phone,
) -> None:
    phone.asking.answers["Is there barking?"] = a_reply(LONG)
    phone.speaks(0.3)
    phone.ear.tell(InterimTranscript("Is there barking?", 0.5, "en"))
    await asyncio.sleep(0.01)
    phone.falls_silent()
    await phone.sends(THIRD)
    phone.returns_marks(but=2)
    phone.ear.tell(FinalTranscript("Is there parking?", "en", 0.9, 0.0))
    # It is told on the loop, before what comes after it.
    await asyncio.sleep(0.01)
    phone.returns_marks()
    await phone.until(lambda: ("Is there parking?", LONG) in phone.told())
    assert phone.asking.asked == ["Is there barking?"]


async def test_frames_that_come_after_the_end_do_nothing(phone: Phone) -> None:
    phone.hangs_up()
    await phone.ends()
    heard = len(phone.ear.audio)
    phone.says(BREAKFAST)
    phone.presses("0")
    assert len(phone.ear.audio) == heard


async def test_a_hebrew_caller_is_spoken_to_and_heard_in_hebrew(phone: Phone) -> None:
    phone.asking.answers["מתי ארוחת הבוקר?"] = a_reply("ארוחת הבוקר בשבע.", language="he")
    for turn in (2, 3):
        phone.says("מתי ארוחת הבוקר?", "he")
        await phone.sends("ארוחת הבוקר בשבע.", times=turn - 1)
        phone.returns_marks()
        await phone.until(lambda turn=turn: len(phone.asking.kept) == turn)  # type: ignore[misc]
    assert phone.ear.locked == ["he"]
    phone.says("להתראות", "he")
    await phone.until(lambda: phone.tts.spoken[-1][1] == "he" and "להתראות" in phone.said[-1])


async def test_words_are_expected_of_each_voice_that_has_none_yet(phone: Phone) -> None:
    phone.speaks(0.1)
    assert phone.ear.expected == 0
    phone.speaks(0.1)
    assert phone.ear.expected == 1


async def test_the_turns_of_a_call_that_comes_back_have_other_numbers(make_phone: MakePhone) -> None:
    first, second = await greeted(make_phone()), await greeted(make_phone())
    assert first.asking.kept[0].number < second.asking.kept[0].number
