"""Whether one statement of a reply stands on what it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from server.conversation.sources import Sources
from server.knowledge.agreement import disagreement
from server.knowledge.claims import Claim, Kind, claims
from server.knowledge.clauses import all_forms, clauses, overlap, telling_words
from server.knowledge.courtesy import is_admission, is_courtesy, is_foreign
from server.knowledge.numerals import in_digits
from server.knowledge.policies import contradicts, speaks_policy
from server.knowledge.reading import canonical
from server.knowledge.readings import meanings
from server.knowledge.things import COLOURLESS, speaks_of_other
from server.knowledge.words import content_words, forms, without_name

# The desk is a machine, and says so when it is asked.
_HUMAN = re.compile(
    r"\b(?:i am|i'm|im) (?:a |an |very much a )?(?:real|human|person|living|actual)\b"
    r"|(?<!not a )\breal (?:person|human)\b"
    r"|\bnot (?:a|an) (?:bot|robot|machine|computer|ai|automated)\b|\bmy name is\b"
    r"|\b(?:i am|i'm|this is) \w+ (?:from|at) (?:the )?(?:reception|front desk|desk)\b"
    r"|(?<![א-ת])אני (?:(?:בן |בת )?(?:אדם|אנוש)|אנושית?|אמיתית?|לא (?:בוט|רובוט|מכונה|מחשב)"
    r"|[א-ת]+ מה(?:קבלה|צוות|דלפק))"
    r"|(?<![א-ת])(?<!לא )(?:לגמרי אמיתית?|(?:אדם|בן אדם|בת אדם) אמיתית?"
    r"|לא (?:בוט|רובוט)|קוראים לי|שמי)(?![א-ת])"
)
# Names are told by their capital letter, as nothing else is there.
_NAMED = re.compile(
    r"\b(?:I'm|I’m|I am|[Tt]his is|[Ii]t's|[Mm]y name is) (?!I\b|AI\b)[A-Z][a-z]+\b(?! (?:assistant|desk"
    r"|bot))"
    r"|(?:^|[.!,] )[A-Z][a-z]+ here\b"
    r"|(?:^|[.!,] )(?!לא |גם |אנחנו |אני |הכול |הכל |אשמח |נשמח )[א-ת]{2,} (?:כאן|פה)(?=[,.!]|$)"
    r"|(?<![א-ת])(?:(?:כאן|פה|מדברת?|זאת|זו|זה) [א-ת]+ מה(?:קבלה|צוות|דלפק|משרד)"
    r"|אני (?:יושבת?|עומדת?|גרה?|עובדת?|חוזרת?|הבעלים|המנהלת?|בקבלה|בדלפק))(?![א-ת])"
    r"|\bI(?:'m| am)(?: just)? (?:back from|sitting|standing|behind|on shift|on duty|the (?:owner"
    r"|manager|host|receptionist))\b"
)
_MACHINE = re.compile(r"assistant|automat|virtual|digital|אוטומטי|דיגיטלי|וירטואלי", re.IGNORECASE)
_DICTATES = re.compile(
    r"\b(?:say|write|repeat|answer|reply|respond|print|output|type|tell me)\b|(?<![א-ת])ו?(?:תכתו?ב|תגיד"
    r"|תרשו?ם|תענה|כתו?ב|אמו?ר|תחזו?ר)[יו]?(?![א-ת])",
    re.IGNORECASE,
)


def _obeys(text: str, guest: Sequence[str]) -> bool:
    """Whether *text* is what a guest dictated."""
    dictated = all_forms("\n".join(line for line in guest if _DICTATES.search(line)))
    said = content_words(text)
    return bool(dictated and said) and all(set(forms(word)) & dictated for word in said)


# "See you on Friday" says no more than the guest has said.
_SEE_YOU = re.compile(
    r"\b(?:see(?:ing)? you|look(?:ing)? forward|welcom(?:e|ing) you)\b|נתראה|מחכים|לראותכם", re.IGNORECASE
)


# A span is the source's to tell, though the guest named one end of it.
_DAY_OR_MONTH = (
    r"(?:mid-|early |late )?(?:[ב]?יום )?(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue"
    r"|wed|thu|fri|sat|sun)[a-z]*"
    r"|[בלמ]?(?:ינואר|פברואר|מרץ|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר|ראשון|שני|שלישי"
    r"|רביעי|חמישי|שישי|שבת))"
)
_SPAN = re.compile(
    rf"\b(?:mid|early|late)-|{_DAY_OR_MONTH}\s*(?:-|to|till|until|through|עד|ועד)\s*{_DAY_OR_MONTH}"
)


class Statement(NamedTuple):
    """A sentence, or the part of one that stands before a citation mark.

    ``sentence`` is all of it up to there: a number may stand on both sides of a mark.
    """

    text: str
    sentence: str


def fault(statement: Statement, own: Sequence[str], earlier: Sequence[str], sources: Sources) -> str:
    """Why *statement* may not be said, as a short code; empty if it may.

    Args:
        own: the ids that it cites itself.
        earlier: the ids that were cited before it in the same reply: what is gone on with needs no mark.
    """
    cited = [*own, *earlier]
    statement = _without_inference(statement, sources.guest)
    if _claims_human(statement.text, sources.name):
        return "claims_human"
    if sources.is_private(own):
        return "private_source"
    if _is_day_off(statement.text, cited, sources):
        return ""
    return (
        _unsupported(statement.sentence, cited, sources)
        or _unruly(statement.text, own, sources)
        or _disagreeing(statement.text, cited, sources)
    )


_NOW = re.compile(
    r"\b(?:now|today|tonight|tomorrow|this (?:morning|evening|afternoon|week)|currently)\b"
    r"|(?<![א-ת])(?:עכשיו|היום|הערב|הלילה|מחר|כרגע)(?![א-ת])"
)
# What follows from a rule for what the guest asked: "Wednesdays only, so not on Tuesday".
_INFERENCE = re.compile(
    r",?\s*\b(?:so|therefore|hence)\b[^.;,!?\[]*(?:\bnot\b|n['’]t\b|\bcannot\b)[^.;,!?\[]*"
    r"|,?\s*\b(?:so|therefore|hence)(?:,? (?:unfortunately|sadly|i'm afraid|sorry))?,? (?:not"
    r"|no)\b[^.;,!?\[]*"
    r"|,?\s*(?:כך ש|לכן |ולכן )(?:לצערנו )?(?:לא|אין)(?![א-ת])[^.;,!?\[]*",
    re.IGNORECASE,
)


def _without_inference(statement: Statement, guest: Sequence[str]) -> Statement:
    """*statement* without a "so not …" that only takes up the guest's words."""

    def drop(match: re.Match[str]) -> str:
        heard = all_forms("\n".join(guest))
        is_heard = all(word & (heard | COLOURLESS) for word in telling_words(match[0]))
        return "" if is_heard else match[0]

    return Statement(_INFERENCE.sub(drop, statement.text), _INFERENCE.sub(drop, statement.sentence))


def _is_day_off(text: str, cited: Sequence[str], sources: Sources) -> bool:
    """Whether *text* only says no to a day that the guest named, where the sources name other days."""
    asked = {claim.value for line in sources.guest for claim in claims(line) if claim.kind is Kind.WEEKDAY}
    said = clauses(text) if cited and asked else ()
    if len(said) != 1 or not said[0].is_negative or any(v.kind is not Kind.WEEKDAY for v in said[0].values):
        return False
    days, words = said[0].days, said[0].words
    told = [clause for source in sources.read(cited) for clause in clauses(source.body) if clause.days]
    is_told_of = any(overlap(words, clause.words) == len(words) for clause in told)
    is_on = any(days & clause.days and not clause.is_negative for clause in told)
    return bool(days) and days <= asked and is_told_of and not is_on


# Whom or how long the guest asked for: it limits nothing, and is no limit of the source's.
_FOR_SO_MANY = re.compile(
    r"(?<!to )(?<!until )(?<!least )(?<!most )(?<!within )(?<!minimum )(?<!than )\b(?:for|of|with"
    r"|cancel\w*|notice) (\d+)"
    r" (?:people|guests|persons|adults|of you|days|nights|weeks)(?! or\b|\+| and (?:up|over|above))"
    r"|(?<![א-ת])(?:ביטול|לבטל|תבטלו|מבטלים|ל-?) ?(\d+) (?:ימים|אנשים|אורחים|סועדים|לילות)(?! (?:או|ומעלה"
    r"|לפחות))"
)


# What follows from the source for the guest's own case.
_THEREFORE = re.compile(r"[,;–-]\s*(?:so|meaning|which means|therefore|then)\b|(?<![א-ת])(?:כך ש|ולכן|לכן)")


def _asked_for(sentence: str, guest: Sequence[str]) -> frozenset[Claim]:
    """The numbers of *sentence* that only take up whom or what the guest asked for."""
    asked = frozenset(claim for line in guest for claim in claims(line) if claim.kind is Kind.NUMBER)
    found = _FOR_SO_MANY.findall(in_digits(canonical(sentence)))
    named = frozenset(Claim(Kind.NUMBER, number) for match in found for number in match if number)
    therefore = _THEREFORE.search(sentence)
    return asked & (named | (claims(sentence[therefore.end() :]) if therefore else frozenset()))


def _claims_human(text: str, name: str) -> bool:
    unnamed = without_name(text, name)
    is_named = _NAMED.search(unnamed) is not None and _MACHINE.search(unnamed) is None
    return is_named or _HUMAN.search(canonical(text)) is not None


def _disagreeing(text: str, cited: Sequence[str], sources: Sources) -> str:
    """Not what the sources say, or said of something that they do not speak of."""
    text = without_name(text, sources.name)
    known = [sources.facts, *sources.desk]
    if is_admission(text):
        return ""
    if text.rstrip().endswith("?"):
        return ""
    is_statement = bool(claims(text)) or speaks_policy(text)
    if not cited and is_foreign(text):
        return "uncited_statement"
    if not cited and _obeys(text, sources.guest):
        return "obeys_guest"
    if not (is_statement and cited) and is_courtesy(text, [*sources.guest, *known]):
        return ""
    if not cited and not is_statement:
        return "uncited_statement" if speaks_of_other(text, known) else ""
    return disagreement(text, sources.read(cited), known, sources.guest)


def _unsupported(sentence: str, cited: Sequence[str], sources: Sources) -> str:
    """The kind of the first claim that no source holds."""
    missing = claims(sentence)
    statable = sources.statable(cited, speaks_of_now=_NOW.search(canonical(sentence)) is not None)
    if _SPAN.search(canonical(sentence)):
        # Where one month is the rest of the year, a span of them may still be another one.
        statable = statable - sources.rest(cited)
    missing = missing - statable
    if missing:
        is_question = sentence.rstrip().endswith("?") or _SEE_YOU.search(sentence) is not None
        is_confirmed = bool(cited) and not _SPAN.search(canonical(sentence)) and not _denies_day(sentence)
        missing = missing - sources.repeatable(is_question=is_question, is_cited=is_confirmed)
    if missing and cited:
        missing = missing - _asked_for(sentence, sources.guest)
    if missing and sentence.rstrip().endswith("?"):
        missing = missing - sources.dates_asked_back(missing)
    if missing:
        hours = meanings(sentence)
        missing = frozenset(claim for claim in missing if not hours.get(claim, frozenset()) & statable)
    return f"unsupported_{min(missing).kind}" if missing else ""


def _denies_day(sentence: str) -> bool:
    return any(clause.is_negative and clause.days for clause in clauses(sentence))


def _unruly(statement: str, own: Sequence[str], sources: Sources) -> str:
    """A rule without a source, or against it."""
    if not speaks_policy(statement):
        return ""
    if not own:
        return "uncited_policy"
    said = [sources.rules[identifier] for identifier in own]
    return "contradicts_source" if contradicts(statement, said) else ""
