"""Lets a model's words out as they come, as far as they have passed.

Plain words flow at once. From the first thing in a sentence that could be wrong (a digit, a number in words,
a rule, a link, anything of the machinery) the rest waits until the sentence and its citation marks are
there, is checked, and comes out in one go. Every decision is made character by character, so that it makes
no difference in which pieces the words came; the check of a whole reply is this one, fed with all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from server.conversation import phrases, wary
from server.conversation.early import Early
from server.conversation.leaks import LeakWindow, ends_in_machinery, shows_machinery
from server.conversation.reply_text import AskTeam, Mark, ReplyText, Visible
from server.conversation.sources import Sources
from server.conversation.statements import Statement, fault
from server.conversation.verdicts import Accepted, Gated, Refused
from server.domain.conversations import Turn
from server.domain.knowledge import Passage
from server.domain.language import UNDETERMINED, detect_language, reply_language
from server.knowledge.policies import may_speak_policy, speaks_policy
from server.knowledge.reading import canonical

# AI_MAX_TOKENS is 220; a token is five characters at the very most.
LONGEST_REPLY_CHARS = 1_200
# Where so much is in no language of the guest's, the rest waits for the verdict too.
_BEGINNING_CHARS = 120

_WORD = re.compile(r"[^\W_]+")
_SENTENCE_MARKS = frozenset(".!?…")
_HALVES_OF_DAY = ("a.m.", "p.m.", "A.M.", "P.M.")


class StreamGate:
    """The gate of one reply; never raises, whatever it is fed.

    Args:
        passages: as they were given to ``build_prompt``.
        now: aware; as it was given to ``build_prompt``.
    """

    def __init__(self, turn: Turn, passages: Sequence[Passage], now: datetime) -> None:
        self._turn = turn
        self._sources = Sources.of(turn, passages, now)
        self._languages = {detect_language(line) for line in self._sources.guest} - {UNDETERMINED}
        self._is_in_language = not self._languages
        self._early = Early(self._sources.open_texts(), self._sources.guest)
        self._leaks = LeakWindow(turn.tenant.settings.prompt, self._sources.rules.values())
        self._text = ReplyText()
        self._said = ""  # as the guest would read it, without marks
        self._shown = 0  # so much of it is out
        self._cleared = 0  # so much of it may be
        self._word_start = 0
        self._statement_start = 0
        self._sentence_start = 0
        # Statements that need a source and have none yet.
        self._waiting: list[Statement] = []
        self._is_held = False
        # The marks of one group, and all that were cited before.
        self._group: list[str] = []
        self._cited: list[str] = []
        self._reason = ""
        self._asks_team = False

    @property
    def shown(self) -> str:
        """All that ``feed`` has returned."""
        return self._said[: self._shown]

    @property
    def is_refused(self) -> bool:
        """Whether it is certain already that the reply may not leave: the model can be stopped."""
        return bool(self._reason)

    def feed(self, piece: str) -> str:
        """What more may be shown now; empty while it is held.

        All that was returned is a prefix of the accepted text, unless the model asks for the team: then
        that text is the desk's own and replaces it.
        """
        for character in piece:
            if not self._reason and not self._asks_team:
                self._take(character)
        if self._reason:
            return ""
        more = self._said[self._shown : self._cleared]
        self._shown = self._cleared
        return more

    def finish(self) -> Gated:
        """The verdict on all that was fed.

        Of an accepted text the end after ``shown`` is still to be sent.
        """
        if self._asks_team and not self._reason:
            language = reply_language((self._turn.question,), self._turn.tenant.settings.languages)
            return Accepted(phrases.asked_team(language), asks_team=True)
        if not self._reason:
            self._reason = self._end()
        if self._reason:
            return Refused(self._reason)
        return Accepted(self._said, self._sources.citations(self._cited))

    def _take(self, character: str) -> None:
        for event in self._text.read(character):
            if isinstance(event, Visible):
                self._see(event)
            elif isinstance(event, Mark):
                self._cite(event)
            elif isinstance(event, AskTeam):
                self._asks_team = True
            else:
                self._reason = "leak"

    def _see(self, event: Visible) -> None:
        """Go on by a character that the guest would read."""
        if event.space or not wary.is_of_word(event.character):
            self._end_word()
        is_new_sentence = _parts_sentences(self._said, event.space, event.character)
        if self._group:
            self._end_group()
        elif is_new_sentence:
            self._end_statement()
        if is_new_sentence:
            self._sentence_start = len(self._said)
            self._is_held = bool(self._waiting)
            self._early.begin_sentence()
        self._said += event.space + event.character
        if len(self._said) > LONGEST_REPLY_CHARS:
            self._reason = self._reason or "too_long"
        if event.space or not wary.is_of_word(event.character):
            self._word_start = len(self._said) - wary.is_of_word(event.character)
        self._watch(event)

    def _watch(self, event: Visible) -> None:
        """Hold what could be wrong; clear the beginning of a word that cannot become anything of the kind."""
        previous = self._said[-2:-1]
        is_inside = not event.space and previous.strip() != ""
        has_hump = is_inside and event.character.isupper() and previous.islower()
        is_glued = is_inside and event.character.isalnum() and previous in ".,:;!?"
        if has_hump or is_glued or not wary.is_plain(event.character):
            self._is_held = True
        if self._is_held or self._leaks.is_wary:
            return
        if event.character in _SENTENCE_MARKS and not event.space:
            # All before it is out: a voice waits for the end of a sentence, not for what comes after it.
            self._clear()
            return
        word = self._said[self._word_start :]
        if not word or wary.may_become_wary(word):
            return
        if self._early.may_take(word):
            self._clear()

    def _end_word(self) -> None:
        word = self._said[self._word_start :]
        if not word:
            return
        self._word_start = len(self._said)
        if self._leaks.follow(_WORD.findall(canonical(word))):
            self._reason = self._reason or "leak"
        if not self._is_held:
            self._is_held = not self._early.takes(word)
        if not self._is_held:
            statement = self._said[self._statement_start :]
            is_rule = may_speak_policy(statement) and speaks_policy(statement)
            self._is_held = wary.states_word(word) or is_rule or ends_in_machinery(statement)
        if not self._is_held and not self._leaks.is_wary:
            self._clear()

    def _cite(self, mark: Mark) -> None:
        self._end_word()
        if not all(identifier in self._sources.rules for identifier in mark.cited):
            self._reason = self._reason or "unknown_citation"
            return
        self._group += mark.cited
        self._close_statement()
        if not self._fault_of_waiting():
            self._clear_waiting()

    def _end_group(self) -> None:
        """No further mark follows: what still has no source gets none."""
        self._reason = self._reason or self._fault_of_waiting()
        self._cited += self._group
        self._group = []
        # The rest of a sentence with a mark in it is read together with what stands before the mark.
        self._is_held = True

    def _end_statement(self) -> None:
        """A sentence is over without a mark: it goes if it needs none, else it waits for one."""
        self._close_statement()
        if not self._reason and not self._fault_of_waiting():
            self._clear_waiting()

    def _close_statement(self) -> None:
        statement = self._said[self._statement_start :].strip()
        self._statement_start = len(self._said)
        if shows_machinery(statement):
            self._reason = self._reason or "leak"
        if statement:
            self._waiting.append(Statement(statement, self._said[self._sentence_start :].strip()))

    def _fault_of_waiting(self) -> str:
        faults = (fault(one, self._group, self._cited, self._sources) for one in self._waiting)
        return next(filter(None, faults), "")

    def _clear_waiting(self) -> None:
        self._waiting = []
        self._is_held = False
        self._clear()

    def _clear(self) -> None:
        """Let all that was said out, if it begins in a language that the guest has used."""
        if not self._is_in_language and len(self._said) <= _BEGINNING_CHARS:
            self._is_in_language = detect_language(self._said) in self._languages
        if self._is_in_language:
            self._cleared = len(self._said)

    def _end(self) -> str:
        """Why the whole may not leave, now that nothing more comes."""
        self._end_word()
        if self._text.is_open:
            return "leak"
        self._close_statement()
        if self._reason:
            return self._reason
        if not any(character.isalnum() for character in self._said):
            return "empty"
        if self._languages and detect_language(self._said) not in self._languages | {UNDETERMINED}:
            return "wrong_language"
        reason = self._fault_of_waiting()
        self._cited += self._group
        return reason


def _parts_sentences(said: str, space: str, following: str) -> bool:
    """Whether *space* between *said* and *following* ends a sentence."""
    if not said or not space:
        return False
    is_abbreviated = following.islower() and said.endswith(_HALVES_OF_DAY)
    return "\n" in space or (said[-1] in _SENTENCE_MARKS and not is_abbreviated)
