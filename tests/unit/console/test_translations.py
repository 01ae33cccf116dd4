"""Every word of the console, and of what staff are told, in every language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from scripts.translations import (
    as_file,
    forms_of,
    is_translated,
    read_catalogue,
    updated,
    words_of_the_code,
)
from server.translations import LANGUAGES, LOCALE

TEMPLATES = LOCALE.parent / "console" / "templates"
# English stands in the code.
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
# Names, and notations that are the same everywhere.
NAMES = {"Frontdesk", "WhatsApp", "POST", "Su-Th 07:00-10:30; Fr 07:00-12:00; Sa off", "US$", "en"}

_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+[^{}]*\}")
_MARKUP = re.compile(r"<[^>]*>")
# Of Unicode's patterns for dates.
_DATE_FIELDS = re.compile(r"[EdMyHms]+")
_IS_PATTERN = re.compile(r"[EdMyHms ,:]+")
_SAID_BY_ATTRIBUTE = re.compile(r'(?:aria-label|alt|title|placeholder)="([^"]*)"')

_jinja = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


@pytest.fixture(scope="module")
def words() -> Catalog:
    """What the code says."""
    return words_of_the_code()


def _catalogue(language: str) -> Catalog:
    return read_catalogue(LOCALE / f"{language}.po")


def _translated(language: str) -> list[Message]:
    return [message for message in _catalogue(language) if message.id]


def _said_in(message: Message) -> Sequence[tuple[str, str]]:
    """Each form of the translation, beside the English that it stands for."""
    english, forms = forms_of(message.id), forms_of(message.string)
    return [(english[min(place, len(english) - 1)], form) for place, form in enumerate(forms)]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_in_each_of_its_forms(language: str, words: Catalog) -> None:
    catalogue = updated(_catalogue(language), words)
    lacking = [message.id for message in catalogue if message.id and not is_translated(message)]
    assert not lacking
    wrong = [
        message.id
        for message in catalogue
        if isinstance(message.id, tuple) and len(forms_of(message.string)) != catalogue.num_plurals
    ]
    assert not wrong


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_a_guess_or_of_what_is_not_said_any_more(language: str, words: Catalog) -> None:
    kept = LOCALE / f"{language}.po"
    assert not _catalogue(language).obsolete
    assert not [message.id for message in _translated(language) if message.fuzzy]
    # As `make translations` would write it.
    assert as_file(updated(_catalogue(language), words)).decode() == kept.read_text("utf-8")


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_placeholders_of_their_messages(language: str) -> None:
    for message in _translated(language):
        forms = _said_in(message)
        for english, translation in forms:
            said, wanted = (Counter(_PLACEHOLDER.findall(text)) for text in (translation, english))
            # One thing may be told without its number.
            is_one = len(forms) > 1 and english == forms[0][0]
            assert said == wanted or (is_one and not said), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_markup_of_their_messages_and_none_of_their_own(language: str) -> None:
    for message in _translated(language):
        for english, translation in _said_in(message):
            assert _MARKUP.findall(translation) == _MARKUP.findall(english), message.id
            # Templates take a translation as it stands, also into an attribute.
            for character in '"&':
                assert translation.count(character) <= english.count(character), message.id
            if "%(" in english:
                assert "%" not in _PLACEHOLDER.sub("", translation).replace("%%", ""), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_patterns_of_dates_tell_the_same_fields(language: str) -> None:
    patterns = [form for message in _translated(language) for form in _said_in(message)]
    patterns = [(english, said) for english, said in patterns if _IS_PATTERN.fullmatch(english)]
    assert patterns
    for english, said in patterns:
        assert _fields(said) == _fields(english)


def _fields(pattern: str) -> Counter[str]:
    """What *pattern* tells; whether a day has a zero before it is each language's own."""
    return Counter("d" if field == "dd" else field for field in _DATE_FIELDS.findall(pattern))


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_word_of_a_template_is_marked_for_translation(template: Path) -> None:
    assert not _plain_words(template.read_text("utf-8")) - NAMES


def test_no_template_keeps_the_language_of_its_first_reader() -> None:
    """What stands outside its macros is kept, where it is imported without the page's context."""
    shared: set[str] = set()
    for path in TEMPLATES.glob("*.html"):
        for imported in _jinja.parse(path.read_text("utf-8")).find_all(nodes.Import):
            if not imported.with_context and isinstance(imported.template, nodes.Const):
                shared.add(str(imported.template.value))
    assert shared
    for name in shared:
        for node in _jinja.parse((TEMPLATES / name).read_text("utf-8")).body:
            if isinstance(node, nodes.Assign | nodes.AssignBlock):
                called = {
                    call.node.name for call in node.find_all(nodes.Call) if isinstance(call.node, nodes.Name)
                }
                assert not called & {"_", "gettext", "ngettext"}, name


def _plain_words(source: str) -> set[str]:
    """What *source* says in letters of its own, outside of its expressions and translations."""
    pieces: list[str] = []
    is_translated_block = False
    for _line, kind, value in _jinja.lexer.tokeniter(source, None):
        if kind == "name" and value in ("trans", "endtrans"):
            is_translated_block = value == "trans"
        if kind == "data":
            pieces.append("" if is_translated_block else value)
        elif kind in ("variable_begin", "block_begin"):
            pieces.append("\0")
    page = re.sub(r"<(code|kbd)\b.*?</\1>", "", "".join(pieces), flags=re.S)
    said = [*_SAID_BY_ATTRIBUTE.findall(page), *re.sub(r"<[^>]*>", "\0", page).split("\0")]
    # What stands in no tag may still be one's attributes, of a macro that writes them.
    words = {re.sub(r'[\w-]+="[^"]*"?|"', "", text).strip(" –\n") for text in said}
    return {text for text in words if re.search(r"[^\W\d_]{2}", text)}
