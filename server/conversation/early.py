"""Which words of a sentence may be read before its end has come and it has been checked.

Greetings, thanks and function words may. So may words that tell something, while all of them stand in one
clause of a source that denies and limits nothing: such a beginning can hardly be wrong yet.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache

from server.knowledge.clauses import all_forms, clauses
from server.knowledge.limits import HARD_LIMIT
from server.knowledge.policies import negates
from server.knowledge.reading import canonical, sentences
from server.knowledge.words import FINAL_LETTERS, STOP_WORDS, forms, words

_TOKEN = re.compile(r"[a-z]+|[א-ת]+")
# Who says "all" must have read all.
_WIDE = frozenset(words("all any every both each everyone always כל כולם תמיד"))
_FREE = (
    frozenset(
        words(
            """
            hello hi hey bye dear good morning afternoon evening thank thanks sorry apologies apologise hear
            about happy glad lovely great nice sure of course certainly absolutely gladly delighted pleasure
            hope wish enjoy see soon back again well help else question questions yes no unfortunately just
            so also and but or if then here now today feel stay visit trip day night time want trouble
            welcome wonderful perfect looking look forward congratulations happened inconvenience understand
            noted quite very much really indeed let sounds cost costs price serve served serves open opens
            start starts begin begins run runs leave leaves located find takes take stay i you we it that
            this is are was were be will would can may us our your my me שלום היי תודה רבה בוקר ערב לילה יום
            טוב טובה נעים נעימה סליחה מצטערים מצטערת צר לנו לשמוע נשמח לעזור בשמחה שמחים כמובן בטח בהחלט כן
            מזל ברוכים הבאים נתראה בקרוב מקווים מאחלים שתיהנו תיהנו מאוד אשמח בבקשה לצערנו הנה גם אז ואם אם
            עוד משהו שאלה שאלות מעולה נהדר יופי על אי הנוחות הבנו מבינים לך לכם עולה עולים מחיר המחיר מוגש
            מוגשת מוגשות מתחיל מתחילה פתוח פתוחה נמצא נמצאת יוצא יוצאת פועל פועלת

            """
        )
    )
    | STOP_WORDS
) - _WIDE
_FREE_SORTED = sorted(_FREE)


def _tokens(text: str) -> list[str]:
    """The words of *text*, without the forms that Hebrew letters have at their end."""
    return _TOKEN.findall(canonical(text).translate(FINAL_LETTERS))


class Early:
    """Follows one sentence after another.

    Args:
        texts: the sources of the reply.
        asked: the guest's words, which may be taken up where no source denies anything of them.
    """

    def __init__(self, texts: Sequence[str], asked: Iterable[str]) -> None:
        denied = frozenset[str]().union(*map(_denied_words, texts))
        heard = {token for line in asked for token in _tokens(line)}
        self._heard = {token for token in heard if not {token, *forms(token)} & denied}
        self._heard_beginnings = sorted(self._heard)
        self._all = [tokens for text in texts for tokens in _plain_clauses(text)]
        self._all_beginnings = sorted(set().union(*self._all))
        self.begin_sentence()

    def begin_sentence(self) -> None:
        """All clauses are open again."""
        self._open = self._all
        self._beginnings = self._all_beginnings

    def takes(self, word: str) -> bool:
        """Whether *word* may be read; from then on only clauses that hold it are open."""
        for token in _tokens(word):
            if token in _FREE or token in self._heard:
                continue
            known = {token, *forms(token)}
            self._open = [tokens for tokens in self._open if tokens & known]
            self._beginnings = sorted(set().union(*self._open))
            if not self._open:
                return False
        return True

    def may_take(self, beginning: str) -> bool:
        """Whether a word that begins so may be one that is taken."""
        tokens = _tokens(beginning)
        known = (_FREE_SORTED, self._heard_beginnings, self._beginnings)
        return all(any(_is_begun(token, by_letters) for by_letters in known) for token in tokens)


def _is_begun(beginning: str, by_letters: list[str]) -> bool:
    place = bisect_left(by_letters, beginning)
    return place < len(by_letters) and by_letters[place].startswith(beginning)


@lru_cache(maxsize=1000)
def _plain_clauses(text: str) -> tuple[frozenset[str], ...]:
    """The words and base forms of each clause of *text* whose sentence denies and limits nothing."""
    return tuple(
        frozenset(_tokens(clause.text)) | all_forms(clause.text)
        for sentence in sentences(text)
        if not negates(sentence) and not HARD_LIMIT.search(canonical(sentence))
        for clause in clauses(sentence)
        if not clause.is_negative
    )


@lru_cache(maxsize=1000)
def _denied_words(text: str) -> frozenset[str]:
    """The words of the sentences of *text* that deny or limit something."""
    hard = [one for one in sentences(text) if negates(one) or HARD_LIMIT.search(canonical(one))]
    return frozenset(token for one in hard for token in _tokens(one)) | all_forms("\n".join(hard))
