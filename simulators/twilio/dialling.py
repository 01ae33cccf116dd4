"""``<Dial>``: rings parties, connects the caller to the first who answers, and tells how it went.

Source: twilio.com/docs/voice/twiml/dial and /number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from simulators.twilio import notices, speech, twiml
from simulators.twilio.account import Party
from simulators.twilio.notices import CallFailure, SimulatorLimit
from simulators.twilio.twiml import Document, Verb

if TYPE_CHECKING:
    from simulators.twilio.call import Call

_MOST_PARTIES = 10
_NOT_RUN = ("hangupOnStar", "sequential", "timeLimit", "referUrl", "record")
_MOST_SCREENS = 5


class Leg(NamedTuple):
    """One party that is rung."""

    noun: Verb
    name: str
    party: Party
    sid: str


class Dialling:
    """One ``<Dial>``. ``told`` is what its action is told, whenever it ends."""

    def __init__(self, call: Call, verb: Verb, document: Document) -> None:
        if given := [name for name in _NOT_RUN if verb.get(name) not in ("", "false", "do-not-record")]:
            raise SimulatorLimit(f"the simulator does not run <Dial {given[0]}>")
        self._call = call
        self._verb = verb
        self._document = document
        self._ring_s = twiml.whole_number(verb, "timeout", 30)
        self._legs = [self._leg(noun) for noun in (verb.children or (verb,))]
        if not 1 <= len(self._legs) <= _MOST_PARTIES or not all(leg.name for leg in self._legs):
            raise CallFailure(notices.SCHEMA, f"<Dial> takes 1 to {_MOST_PARTIES} parties with a name")
        self.told: dict[str, str] = {"DialCallStatus": "no-answer"}

    async def run(self) -> None:
        """Ring all at once, and talk with the first who answers."""
        began = self._call.stopwatch.now()
        for leg in self._legs:
            self._call.tell("dial", leg.name)
            self._report(leg, "initiated", "initiated")
        for leg in sorted(self._legs, key=lambda leg: leg.party.after_s):
            await self._call.stopwatch.until(began + min(leg.party.after_s, self._ring_s))
            answers = leg.party.after_s <= self._ring_s
            outcome = leg.party.outcome if answers else "no-answer"
            if outcome == "answered" and await self._accepts(leg):
                await self._bridge(leg)
                return
            outcome = "no-answer" if outcome == "answered" else outcome
            self.told = {"DialCallStatus": outcome, "DialCallSid": leg.sid}
            self._report(leg, "completed", outcome)
        self._call.tell("dialled", self.told["DialCallStatus"])

    async def _bridge(self, leg: Leg) -> None:
        self._call.answer()
        self._call.tell("bridged", leg.name)
        self._report(leg, "answered", "in-progress")
        began = self._call.stopwatch.now()
        try:
            if leg.party.says:
                self._call.playback.play(speech.speak(leg.party.says), began)
                self._call.heard.ring()
            await asyncio.sleep(leg.party.talks_s)
        finally:
            ended = self._call.stopwatch.now()
            self._call.playback.stop(ended)
            self.told = {
                "DialCallStatus": "completed",
                "DialCallSid": leg.sid,
                "DialCallDuration": str(round(ended - began)),
                "DialBridged": "true",
            }
            self._report(leg, "completed", "completed")
            self._call.tell("dialled", "completed")

    async def _accepts(self, leg: Leg) -> bool:
        """Run the document of the noun's url for the party, before they are connected; they may decline."""
        if not leg.noun.get("url") or leg.noun is self._verb:
            return True
        url, method = self._document.resolve(leg.noun.get("url")), leg.noun.get("method", "POST")
        told = self._leg_parameters(leg, "in-progress")
        for _ in range(_MOST_SCREENS):
            fetched = await self._call.exchange.webhooks.fetch(method, url, told)
            document = twiml.parse(fetched.body, fetched.url)
            self._call.tell("screening", " ".join(verb.name for verb in document.verbs))
            ending = _screened(document, leg.party)
            if ending is None or ending.name == "Hangup":
                return ending is None
            method = ending.get("method", "POST")
            if ending.name == "Gather":
                url = document.resolve(ending.get("action"))
                told = {**told, "Digits": leg.party.confirms}
            else:
                url = document.resolve(ending.text)
        raise SimulatorLimit(f"a party was asked {_MOST_SCREENS} times before they were connected")

    def _leg(self, noun: Verb) -> Leg:
        return Leg(
            noun,
            noun.text,
            self._call.exchange.account.party(noun.text),
            self._call.exchange.account.new_sid("CA"),
        )

    def _report(self, leg: Leg, event: str, status: str) -> None:
        callback = leg.noun.get("statusCallback")
        if callback and event in leg.noun.get("statusCallbackEvent", "completed").split():
            url, method = self._document.resolve(callback), leg.noun.get("statusCallbackMethod", "POST")
            self._call.call_back(url, method, self._leg_parameters(leg, status))

    def _leg_parameters(self, leg: Leg, status: str) -> Mapping[str, str]:
        from_ = self._verb.get("callerId") or self._call.from_
        to = f"client:{leg.name}" if leg.noun.name == "Client" else leg.name
        return {
            **self._call.parameters(),
            "CallSid": leg.sid,
            "ParentCallSid": self._call.sid,
            "Direction": "outbound-dial",
            "CallStatus": status,
            "From": from_,
            "Caller": from_,
            "To": to,
            "Called": to,
        }


def _screened(document: Document, party: Party) -> Verb | None:
    """The verb that decides: a gather the party answers, a hang-up, a redirect; None connects them."""
    for verb in document.verbs:
        if verb.name in ("Hangup", "Redirect") or (verb.name == "Gather" and party.confirms):
            return verb
        if verb.name not in ("Say", "Play", "Pause", "Gather"):
            raise SimulatorLimit(f"the simulator does not run <{verb.name}> before parties are connected")
    return None
