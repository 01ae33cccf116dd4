"""What is written is said as people say it, and what is said has the value that was written."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.voice.addresses import read_back
from server.voice.cardinals import Gender, cardinal
from server.voice.spoken import spoken

ENGLISH = {
    "Breakfast is 7:30–10:30.": "Breakfast is seven thirty to ten thirty.",
    "Open 7:00, 7:05 and 12:00.": "Open seven o'clock, seven oh five and twelve noon.",
    "Open 19:30 and 7:00, in the house.": "Open seven thirty PM and seven AM, in the house.",
    "Open 07:00": "Open seven AM",
    "Quiet from 22:00-7:00.": "Quiet from ten PM to seven AM.",
    "Pool 7-10am, bar 7 p.m.–11 pm": "Pool seven AM to ten AM, bar seven PM to eleven PM",
    "From 09:00 in the morning": "From nine o'clock in the morning",
    "At 24:00 or 0:15": "At midnight or twelve fifteen AM",
    "It is ₪120, 120 NIS or $35.50.": "It is one hundred and twenty shekels, "
    "one hundred and twenty shekels or "
    "thirty-five dollars and fifty cents.",
    "€1, $0.50, ₪1,200": "one euro, fifty cents, one thousand two hundred shekels",
    "$35.5": "thirty-five dollars and fifty cents",
    "₪120–150/night": "one hundred and twenty to one hundred and fifty shekels per night",
    "$1.5 million, ₪2K": "one point five million dollars, two thousand shekels",
    "Call +972-54-123-4567.": "Call plus nine seven two, five four, one two three, four five six seven.",
    "0541234567 or *6789": "zero five four, one two three, four five six seven or star six seven eight nine",
    "Room 204, code: 4729": "Room two zero four, code: four seven two nine",
    "Booking 1234567": "Booking one two three four five six seven",
    "The room is 600 metres away": "The room is six hundred metres away",
    "## Pets {#pets}": "Pets",
    "9.30am, 2,50 €, 2½ hours": "nine thirty AM, two euros and fifty cents, two point five hours",
    "24/12-26/12": "the twenty-fourth of December to the twenty-sixth of December",
    "24–26 December": "twenty-fourth to the twenty-sixth of December",
    "Dec 24-26": "December twenty-fourth to twenty-sixth",
    "May 5 people come?": "May five people come?",
    "8/10 guests": "eight out of ten guests",
    "Code 12-34, 1-2-3": "Code one two, three four, one, two, three",
    "Version 1.2.3": "Version one point two point three",
    "a room 350 NIS": "a room three hundred and fifty shekels",
    "On 3/12, 2026-12-03 or 12/25/2026": "On the third of December, "
    "the third of December twenty twenty-six or "
    "the twenty-fifth of December twenty twenty-six",
    "Dec 3rd, 2026 or 25 December": "December third twenty twenty-six or the twenty-fifth of December",
    "Open 24/7": "Open twenty-four seven",
    "1/2 hour, 3/4 litre": "a half hour, three quarters litre",
    "17% off, 3.5 km, -5°C": "seventeen percent off, three point five kilometres, minus five degrees Celsius",
    "The 21st, 2nd and 12th floor": "The twenty-first, second and twelfth floor",
    "Write to Info@example.co.il.": "Write to info at example dot co dot I L.",
    "See https://www.example.com/menu_2, please": "See example dot com slash menu underscore two, please",
    "[The menu](https://example.com/x) is **new**!": "The menu is new!",
    "# Pool\n- Heated 😊\n* Open\n1. Free": "Pool. Heated. Open. one. Free",
    "Wi-Fi: Sunny2024": "Wi-Fi: Sunny two zero two four",
    "Dr. Cohen, e.g. No. 5 etc. The end.": "Doctor Cohen, for example number five et cetera. The end.",
    "No. We do not.": "No. We do not.",
    "Rooms 201-205, 10 guests": "Rooms two hundred and one to two hundred and five, ten guests",
    "tea & coffee for 2": "tea and coffee for two",
    "Code 007": "Code zero zero seven",
    "! Yes —": "Yes",
    "😊": "",
    " . ": "",
}
HEBREW = {
    "ארוחת הבוקר ב-7:30–10:30.": "ארוחת הבוקר בשבע וחצי עד עשר וחצי.",
    "בשעה 19:30, ב7:00": "בשעה שבע וחצי בערב, בשבע בבוקר",
    "מ-7:15": "משבע ורבע",
    "דירה 1 נגישה, דירה 2 במקומות": "דירה אחת נגישה, דירה שתיים במקומות",
    "5-7 לילות, 1-2 מיטות": "חמישה עד שבעה לילות, אחת עד שתי מיטות",
    "₪2 לקוט\"ש, 11 קוט\"ש": "שני שקלים לקילוואט שעה, אחד עשר קילוואט שעה",
    "7:05, 7:20, 7:45": "שבע וחמש דקות, שבע ועשרים דקות, שבע ארבעים וחמש",
    "בשעה 7:30 בבוקר": "בשעה שבע וחצי בבוקר",
    "12:00 או 00:00": "שתים עשרה בצהריים או חצות",
    "המחיר 120 ₪": "המחיר מאה ועשרים שקלים",
    "ב-₪120, 1 ש\"ח, 2 ש״ח": "במאה ועשרים שקלים, שקל אחד, שני שקלים",
    "35.50 ש\"ח": "שלושים וחמישה שקלים וחמישים אגורות",
    "₪120/לילה": "מאה ועשרים שקלים ללילה",
    "20 דולר ו-3 דולרים": "עשרים דולר ושלושה דולרים",
    "5 לילות, 3 מיטות, 1 לילה, 2 חדרים": "חמישה לילות, שלוש מיטות, לילה אחד, שני חדרים",
    "1 בלילה, 2 בצהריים": "אחת בלילה, שתיים בצהריים",
    "17% הנחה, 2%": "שבעה עשר אחוז הנחה, שני אחוזים",
    "3.5 ק\"מ": "שלוש נקודה חמש קילומטרים",
    "ב-3/12 או ב-3 בדצמבר": "בשלושה בדצמבר או בשלושה בדצמבר",
    "2026-12-03": "שלושה בדצמבר אלפיים עשרים ושש",
    "054-1234567": "אפס חמש ארבע, אחת שתיים שלוש, ארבע חמש שש שבע",
    "חדר 204, קוד 4729": "חדר שתיים אפס ארבע, קוד ארבע שבע שתיים תשע",
    "כתבו ל-info@gmail.com.": "כתבו ל-אינפו שטרודל ג'ימייל נקודה קום.",
    "ד\"ר כהן ועו\"ד לוי באחה״צ וכו'": "דוקטור כהן ועורך דין לוי באחר הצהריים וכולי",
    "24-26 בדצמבר, ה-3 בחודש": "עשרים וארבעה עד עשרים ושישה בדצמבר, השלושה בחודש",
    "קפה & תה": "קפה ותה",
    "\u200fשלום\u200e": "שלום",
}  # fmt: skip


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_english_is_said_as_people_say_it(written: str, said: str) -> None:
    assert spoken(written, "en").casefold() == said.casefold()


@pytest.mark.parametrize(("written", "said"), HEBREW.items())
def test_hebrew_is_said_as_people_say_it(written: str, said: str) -> None:
    assert spoken(written, "he") == said


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("Dan Levi", "en", "D, A, N, L, E, V, I"),
        ("dan.k7@gmail.com", "en", "D, A, N, dot, K, seven, at gmail dot com"),
        ("כהן", "he", "כף, הא, נון סופית"),
        ("bo@walla.co.il", "he", "בי, או, שטרודל walla נקודה קו נקודה אַיי אל"),
    ],
)
def test_names_and_addresses_are_spelled(name: str, language: str, said: str) -> None:
    assert read_back(name, language) == said


# What the words mean, written down apart from how they are made.
_WORDS = {
    "zero": 0, "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1_000,
    "אפס": 0, "אחת": 1, "אחד": 1, "שתיים": 2, "שניים": 2, "שתים": 2, "שנים": 2, "שני": 2, "שתי": 2, "שלוש": 3,
    "שלושה": 3, "שלושת": 3, "ארבע": 4, "ארבעה": 4, "ארבעת": 4, "חמש": 5, "חמישה": 5, "חמשת": 5, "שש": 6,
    "שישה": 6,
    "ששת": 6, "שבע": 7, "שבעה": 7, "שבעת": 7, "שמונה": 8, "שמונת": 8, "תשע": 9, "תשעה": 9, "תשעת": 9,
    "עשר": 10,
    "עשרה": 10, "עשרת": 10, "עשרים": 20, "שלושים": 30, "ארבעים": 40, "חמישים": 50, "שישים": 60, "שבעים": 70,
    "שמונים": 80, "תשעים": 90, "מאה": 100, "מאתיים": 200, "מאות": 100, "אלף": 1_000, "אלפיים": 2_000,
    "אלפים": 1_000,
    "רבע": 15, "חצי": 30, "דקה": 1,
}  # fmt: skip


def value_of(words: str) -> int:
    """The number that *words* say, in either language; other words are passed over."""
    total = part = 0
    for word in re.split(r"[\s-]+", words):
        value = _WORDS.get(word, _WORDS.get(word.removeprefix("ו")))
        if value is None:
            continue
        if value == 1_000:
            total, part = total + (part or 1) * 1_000, 0
        elif value == 100 and 0 < part % 100 < 10:
            part += part % 100 * 99
        else:
            part += value
    return total + part


def clock_of(words: str) -> tuple[int, int]:
    """The hour, as far as *words* say of which half of the day, and the minute."""
    if words in ("midnight", "חצות"):
        return 0, 0
    if words == "twelve noon":
        return 12, 0
    is_late = re.search(r"PM|בצהריים|אחר הצהריים|בערב|בלילה", words)
    says_half = is_late or re.search(r"AM|בבוקר", words)
    bare = re.sub(r"\s*(?:PM|AM|o'clock|אחר הצהריים|בבוקר|בצהריים|בערב|בלילה|דקות)", "", words)
    found = re.match(r"(שתים עשרה|אחת עשרה|\S+)\s*(.*)", bare)
    assert found
    hour, minute = value_of(found[1]), value_of(found[2])
    if not says_half:
        return hour, minute
    is_night = "בלילה" in words and (hour == 12 or hour < 6)
    return hour % 12 + (12 if is_late and not is_night else 0), minute


LANGUAGES = st.sampled_from(["en", "he"])
GENDERS: st.SearchStrategy[Gender] = st.sampled_from(["f", "m"])


@given(st.integers(0, 99_999), LANGUAGES, GENDERS)
@example(0, "he", "m")
@example(99_999, "he", "f")
@example(11_111, "he", "m")
def test_a_number_is_read_back(number: int, language: str, gender: Gender) -> None:
    assert value_of(cardinal(number, language, gender)) == number
    assert value_of(spoken(f"{number}", language)) == number
    assert value_of(spoken(f"{number:,} x", language)) == number


@given(st.integers(0, 23), st.integers(0, 59), LANGUAGES)
@example(0, 0, "he")
@example(12, 0, "en")
@example(12, 30, "he")
@example(23, 2, "he")
def test_a_time_is_read_back(hour: int, minute: int, language: str) -> None:
    assert clock_of(spoken(f"{hour:02d}:{minute:02d}", language)) == (hour, minute)
    assert clock_of(spoken(f"{hour}:{minute:02d}", language))[1] == minute


@given(
    st.integers(0, 99_999),
    st.integers(0, 99),
    LANGUAGES,
    st.sampled_from(["₪{}", "{} ₪", "${}", "{} NIS", '{} ש"ח']),
)
@example(1, 1, "he", "₪{}")
@example(2, 2, "he", "${}")
def test_a_price_is_read_back(whole: int, part: int, language: str, form: str) -> None:
    words = spoken(form.format(f"{whole}.{part:02d}"), language)
    currency = r"(.*?)(?:dollars?|shekels?|דולרים|דולר|שקלים|שקל)(?: (אחד))?(.*)"
    found = re.fullmatch(currency, words)
    if found is None:
        assert whole == 0
        assert part
        assert value_of(words) == part
    else:
        assert value_of(f"{found[1]} {found[2] or ''}") == whole
        assert value_of(found[3]) == part


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), LANGUAGES)
def test_a_date_keeps_its_day_month_and_year(day: date, language: str) -> None:
    words = spoken(f"{day:%Y-%m-%d}", language)
    if language == "he":
        assert value_of(words.split(" ב", 1)[1].partition(" ")[2]) == day.year
    assert words == spoken(f"{day:%d/%m/%Y}", language)
    assert not re.search(r"\d", words)


@given(st.text(max_size=80) | st.text("0123456789:/.-–₪$%@#* אבaA\n", max_size=40), LANGUAGES)
def test_any_text_can_be_said_and_has_no_digit_left(text: str, language: str) -> None:
    assert not re.search(r"\d", spoken(text, language))


@given(st.text("אדהabc ,.!?\n", max_size=60), LANGUAGES)
def test_plain_words_are_said_as_they_stand(text: str, language: str) -> None:
    def words(of: str) -> list[str]:
        return re.findall(r"\w+", of)

    assert words(spoken(text, language)) == words(text)
