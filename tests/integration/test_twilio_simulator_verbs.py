"""Verbs that listen and dial: a gather, a recording, parties who answer or do not; each tells its action."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulators.twilio import mulaw, notices, speech
from simulators.twilio.account import Account, Number, Party
from simulators.twilio.caller import Caller
from simulators.twilio.desk import ORIGIN, Reply, ScriptedDesk, scripted_desk
from simulators.twilio.network import PhoneNetwork, phone_network
from simulators.twilio.notices import SimulatorLimit

OURS, GUEST, STAFF = "+97231234567", "+972501234567", "+97239999999"
LOUD = b"\x10" * mulaw.FRAME_BYTES


@pytest.fixture
async def desk() -> AsyncIterator[ScriptedDesk]:
    async with scripted_desk() as made:
        made.documents["/next"] = "<Hangup/>"
        made.documents["/else"] = "<Hangup/>"
        yield made


@pytest.fixture
def account() -> Account:
    return Account("token", numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})


@pytest.fixture
async def network(desk: ScriptedDesk, account: Account) -> AsyncIterator[PhoneNetwork]:
    async with phone_network(account, desk.routes, confidence=0.8) as made:
        yield made


async def called(network: PhoneNetwork) -> Caller:
    caller = network.dial(OURS, from_=GUEST)
    await caller.answered()
    return caller


def kinds(caller: Caller) -> list[str]:
    return [event.kind for event in caller.call.events]


async def test_what_the_caller_says_is_the_result_of_a_gather(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = (
        '<Gather input="speech dtmf" language="he-IL" speechTimeout="1" action="/next">'
        '<Say language="he-IL">שלום, איך אפשר לעזור לכם היום?</Say></Gather><Redirect>/else</Redirect>'
    )
    caller = await called(network)
    await caller.hears()
    await caller.say("יש לכם חניה?")
    await caller.ended()
    told = desk.asked_at("/next")[0].parameters
    assert (told["SpeechResult"], told["Confidence"]) == ("יש לכם חניה?", "0.8")
    assert told["CallStatus"] == "in-progress"
    assert desk.asked_at("/else") == []
    # The prompt was cut short: speech ended before all of it could have been played.
    assert caller.call.playback.ends < caller.call.playback.arrivals[0].at + mulaw.duration_s(
        speech.speak("שלום, איך אפשר לעזור לכם היום?")
    )


async def test_keys_are_the_result_of_a_gather(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = (
        '<Gather action="/next" method="GET"><Say>Press your room number</Say></Gather>'
    )
    caller = await called(network)
    await caller.hears()
    await caller.press("12#")
    await caller.ended()
    asked = desk.asked_at("/next")[0]
    assert asked.method == "GET"
    assert "Digits=12&" in asked.url + "&"


@pytest.mark.parametrize(("attribute", "path"), [("", "/else"), ('actionOnEmptyResult="true"', "/next")])
async def test_no_answer_goes_on_unless_the_action_is_wanted(
    desk: ScriptedDesk, network: PhoneNetwork, attribute: str, path: str
) -> None:
    desk.documents["/voice"] = (
        f'<Gather input="speech" timeout="1" speechTimeout="1" action="/next" {attribute}/>'
        "<Redirect>/else</Redirect>"
    )
    await (await called(network)).ended()
    assert [asked.url for asked in desk.asked[1:]] == [ORIGIN + path]
    assert "SpeechResult" not in desk.asked[1].parameters


async def test_an_unsupported_gather_fails_with_a_warning_and_the_next_verb_runs(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = (
        '<Gather input="speech" speechTimeout="auto" action="/next"><Say>Yes?</Say></Gather>'
        '<Gather input="speech" speechTimeout="1" language="xx" action="/next"/><Redirect>/else</Redirect>'
    )
    caller = await called(network)
    await caller.ended()
    assert [(notice.code, notice.level) for notice in caller.call.notices] == [
        (notices.GATHER_AUTO_TIMEOUT, "warning"),
        (notices.GATHER_LANGUAGE, "warning"),
    ]
    assert len(desk.asked_at("/else")) == 1
    assert desk.asked_at("/next") == []


async def test_a_recording_is_told_and_kept(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = (
        '<Say>Leave a message</Say><Record action="/next" recordingStatusCallback="/kept" finishOnKey="#"/>'
        "<Redirect>/else</Redirect>"
    )
    desk.documents["/kept"] = ""
    caller = await called(network)
    await caller.listens(since=0.0, pause_s=0.5)
    await caller.say(LOUD * 60, "")
    await caller.press("#")
    await caller.ended()
    told = desk.asked_at("/next")[0].parameters
    assert (told["RecordingDuration"], told["Digits"]) == ("1", "#")
    recording = network.exchange.recordings[told["RecordingSid"]]
    assert recording.audio == LOUD * 60
    assert told["RecordingUrl"].startswith(network.api_url)
    assert told["RecordingUrl"].endswith(f"/Recordings/{recording.sid}")
    assert desk.asked_at("/kept")[0].parameters["RecordingStatus"] == "completed"


async def test_hanging_up_ends_a_recording_and_its_action_is_told(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = '<Record action="/next" playBeep="false"/>'
    desk.documents["/next"] = "<Say>Nobody hears this</Say>"
    caller = await called(network)
    await caller.say(LOUD * 60, "")
    await caller.hang_up()
    told = desk.asked_at("/next")[0].parameters
    assert (told["Digits"], told["CallStatus"]) == ("hangup", "completed")
    assert "say" not in kinds(caller)


async def test_a_recording_of_nothing_goes_on_to_the_next_verb(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = '<Record action="/next" timeout="1"/><Redirect>/else</Redirect>'
    await (await called(network)).ended()
    assert [asked.url for asked in desk.asked[1:]] == [f"{ORIGIN}/else"]
    assert network.exchange.recordings == {}


async def test_a_party_who_answers_is_connected_and_hangs_up(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties[STAFF] = Party(talks_s=0.6)
    desk.documents["/voice"] = f'<Dial action="/next"><Number>{STAFF}</Number></Dial>'
    caller = await called(network)
    await caller.sees("bridged")
    await caller.hears(since=0.0)
    await caller.ended()
    told = desk.asked_at("/next")[0].parameters
    assert (told["DialCallStatus"], told["DialCallDuration"], told["DialBridged"]) == (
        "completed",
        "1",
        "true",
    )
    assert told["DialCallSid"] != told["CallSid"]


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
async def test_a_party_who_is_not_reached_is_told(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account, outcome: str
) -> None:
    account.parties["reception"] = Party(outcome=outcome)  # type: ignore[arg-type]
    desk.documents["/voice"] = '<Dial action="/next"><Client>reception</Client></Dial>'
    await (await called(network)).ended()
    assert desk.asked_at("/next")[0].parameters["DialCallStatus"] == outcome


async def test_a_party_who_takes_longer_than_the_timeout_does_not_answer(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties[STAFF] = Party(after_s=60)
    desk.documents["/voice"] = f'<Dial timeout="1">{STAFF}</Dial><Redirect>/else</Redirect>'
    caller = await called(network)
    await caller.ended()
    assert "bridged" not in kinds(caller)
    assert len(desk.asked_at("/else")) == 1


async def test_nobody_is_at_a_number_that_the_script_does_not_know(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = '<Dial action="/next">+1</Dial>'
    await (await called(network)).ended()
    assert desk.asked_at("/next")[0].parameters["DialCallStatus"] == "failed"


async def test_the_first_of_several_who_answers_is_connected(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties |= {
        "one": Party(after_s=0.3),
        "two": Party(after_s=0.1, talks_s=0.1),
        "three": Party(outcome="busy", after_s=0.0),
    }
    desk.documents["/voice"] = "<Dial><Client>one</Client><Client>two</Client><Client>three</Client></Dial>"
    caller = await called(network)
    await caller.ended()
    assert [event.detail for event in caller.call.events if event.kind == "bridged"] == ["two"]


async def test_a_call_is_picked_up_only_when_bridged_if_wanted(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties |= {STAFF: Party(outcome="busy"), "two": Party(talks_s=0.1)}
    desk.documents["/voice"] = f'<Dial answerOnBridge="true" action="/next">{STAFF}</Dial>'
    desk.documents["/next"] = '<Dial answerOnBridge="true"><Client>two</Client></Dial>'
    caller = network.dial(OURS, from_=GUEST)
    await caller.ended()
    assert desk.asked_at("/next")[0].parameters["CallStatus"] == "ringing"
    order = [kind for kind in kinds(caller) if kind in ("dialled", "answered", "bridged")]
    assert order == ["dialled", "answered", "bridged", "dialled"]


@pytest.mark.parametrize(("confirms", "status"), [("1", "completed"), ("2", "no-answer"), ("", "no-answer")])
async def test_a_party_can_be_asked_before_they_are_connected(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account, confirms: str, status: str
) -> None:
    account.parties[STAFF] = Party(talks_s=0.1, confirms=confirms)
    desk.documents["/voice"] = f'<Dial action="/next"><Number url="/screen">{STAFF}</Number></Dial>'
    desk.documents["/screen"] = '<Gather action="/screened"><Say>A guest, press 1</Say></Gather><Hangup/>'
    desk.documents["/screened"] = lambda asked: "" if asked.parameters["Digits"] == "1" else "<Hangup/>"
    caller = await called(network)
    await caller.ended()
    assert desk.asked_at("/next")[0].parameters["DialCallStatus"] == status
    screened = desk.asked_at("/screen")[0].parameters
    assert (screened["ParentCallSid"], screened["To"]) == (caller.call.sid, STAFF)
    assert ("bridged" in kinds(caller)) == (status == "completed")


async def test_hanging_up_while_bridged_tells_the_action(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties[STAFF] = Party(talks_s=600)
    desk.documents["/voice"] = f'<Dial action="/next">{STAFF}</Dial>'
    caller = await called(network)
    await caller.sees("bridged")
    await caller.hang_up()
    assert desk.asked_at("/next")[0].parameters["DialCallStatus"] == "completed"


async def test_a_party_s_own_callback_hears_what_it_asked_for(
    desk: ScriptedDesk, network: PhoneNetwork, account: Account
) -> None:
    account.parties[STAFF] = Party(talks_s=0.1)
    desk.documents["/voice"] = (
        '<Dial><Number statusCallback="/leg" statusCallbackEvent="answered completed">'
        f"{STAFF}</Number></Dial>"
    )
    desk.documents["/leg"] = ""
    caller = await called(network)
    await caller.ended()
    told = [asked.parameters for asked in desk.asked_at("/leg")]
    assert sorted(one["CallStatus"] for one in told) == ["completed", "in-progress"]
    assert {one["ParentCallSid"] for one in told} == {caller.call.sid}


async def test_audio_files_are_played(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = "<Play>/greeting.wav</Play>"
    desk.documents["/greeting.wav"] = Reply(mulaw.wav(LOUD * 10), content_type="audio/wav")
    caller = await called(network)
    await caller.hears(since=0.0)
    await caller.ended()
    assert [arrival.size for arrival in caller.call.playback.arrivals] == [1600]


@pytest.mark.parametrize("document", ["<Enqueue>q</Enqueue>", '<Dial record="record-from-answer">+1</Dial>'])
async def test_what_the_simulator_cannot_do_fails_the_test(
    desk: ScriptedDesk, account: Account, document: str
) -> None:
    desk.documents["/voice"] = document
    with pytest.raises(SimulatorLimit):
        async with phone_network(account, desk.routes) as network:
            await network.dial(OURS, from_=GUEST).sees("ended")
