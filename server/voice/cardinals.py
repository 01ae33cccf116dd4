"""Numbers as they are said, in English and in Hebrew with its two genders."""

from __future__ import annotations

from typing import Literal, NamedTuple

from server.voice.word_lists import word_list

Gender = Literal["f", "m"]

# Above it, digits are said one by one.
MOST = 999_999_999

_ENGLISH = word_list(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
    """
)
_ENGLISH_TENS = word_list("- - twenty thirty forty fifty sixty seventy eighty ninety")
_ENGLISH_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

_FEMININE = word_list("אפס אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע עשר")
_MASCULINE = word_list("אפס אחד שניים שלושה ארבעה חמישה שישה שבעה שמונה תשעה עשרה")
# What stands before "ten" in eleven to nineteen.
_FEMININE_TEEN = word_list("- אחת שתים שלוש ארבע חמש שש שבע שמונה תשע")
_MASCULINE_TEEN = word_list("- אחד שנים שלושה ארבעה חמישה שישה שבעה שמונה תשעה")
_HEBREW_TENS = word_list("- - עשרים שלושים ארבעים חמישים שישים שבעים שמונים תשעים")
_THOUSANDS = word_list("- אלף אלפיים שלושת ארבעת חמשת ששת שבעת שמונת תשעת עשרת")


class Noun(NamedTuple):
    """A thing that is counted; ``many`` is what Hebrew says from eleven on, if not the plural."""

    one: str
    several: str
    gender: Gender = "m"
    many: str = ""


def cardinal(number: int, language: str, gender: Gender = "f") -> str:
    """*number*, 0 to ``MOST``, in words. Hebrew counts and tells the time in the feminine."""
    return _hebrew(number, gender) if language == "he" else _english(number)


def counted(number: int, noun: Noun, language: str) -> str:
    """So many of *noun*: "one shekel", "שקל אחד", "שני שקלים"."""
    if language != "he":
        return f"{_english(number)} {noun.one if number == 1 else noun.several}"
    if number == 1:
        return f"{noun.one} {_hebrew(1, noun.gender)}"
    if number == 2:
        return f"{'שני' if noun.gender == 'm' else 'שתי'} {noun.several}"
    return f"{_hebrew(number, noun.gender)} {noun.many if noun.many and number > 10 else noun.several}"


def ordinal(number: int) -> str:
    """The English ordinal: "first", "twenty-second"."""
    *before, last = _english(number).replace("-", " - ").split(" ")
    if last in _ENGLISH_ORDINALS:
        last = _ENGLISH_ORDINALS[last]
    else:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join([*before, last]).replace(" - ", "-")


def digits(text: str, language: str) -> str:
    """The digits of *text*, each by itself."""
    words = _FEMININE if language == "he" else _ENGLISH
    return " ".join(words[int(character)] for character in text if character.isdecimal())


def decimal(text: str, language: str, gender: Gender = "f") -> str:
    """A number as it is written: "1,200", "3.50", "007"."""
    whole, _, fraction = text.replace(",", "").partition(".")
    if (len(whole) > 1 and whole[0] == "0") or len(whole) > len(str(MOST)):
        words = digits(whole, language)
    else:
        words = cardinal(int(whole), language, gender)
    if not fraction:
        return words
    return f"{words} {'נקודה' if language == 'he' else 'point'} {digits(fraction, language)}"


def _english(number: int) -> str:
    if number < 20:
        return _ENGLISH[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _ENGLISH_TENS[tens] + (f"-{_ENGLISH[ones]}" if ones else "")
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            count, rest = divmod(number, size)
            joint = " and " if rest < 100 else " "
            return f"{_english(count)} {name}" + (f"{joint}{_english(rest)}" if rest else "")
    raise AssertionError


def _hebrew(number: int, gender: Gender) -> str:
    """The parts one after another, with an "and" before the last."""
    millions, rest = divmod(number, 1_000_000)
    thousands, rest = divmod(rest, 1_000)
    parts = [*_hebrew_millions(millions), *_hebrew_thousands(thousands), *_hebrew_hundreds(rest // 100)]
    if rest % 100 or not parts:
        parts += _hebrew_below_hundred(rest % 100, gender)
    return " ".join([*parts[:-1], f"ו{parts[-1]}"]) if len(parts) > 1 else parts[0]


def _hebrew_millions(count: int) -> list[str]:
    if count <= 2:
        return [[], ["מיליון"], ["שני מיליון"]][count]
    return [f"{_hebrew(count, 'm')} מיליון"]


def _hebrew_thousands(count: int) -> list[str]:
    if count == 0:
        return []
    if count <= 2:
        return [_THOUSANDS[count]]
    return [f"{_THOUSANDS[count]} אלפים" if count <= 10 else f"{_hebrew(count, 'm')} אלף"]


def _hebrew_hundreds(count: int) -> list[str]:
    if count <= 2:
        return [[], ["מאה"], ["מאתיים"]][count]
    return [f"{_FEMININE[count]} מאות"]


def _hebrew_below_hundred(number: int, gender: Gender) -> list[str]:
    ones = _FEMININE if gender == "f" else _MASCULINE
    if number <= 10:
        return [ones[number]]
    if number < 20:
        return [
            f"{_FEMININE_TEEN[number - 10]} עשרה" if gender == "f" else f"{_MASCULINE_TEEN[number - 10]} עשר"
        ]
    tens, rest = divmod(number, 10)
    return [_HEBREW_TENS[tens], *([ones[rest]] if rest else [])]
