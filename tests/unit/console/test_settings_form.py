"""The form of a business's settings: nothing is lost on its way there and back."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.console.settings_form import FIELDS, Kind, read, shown, typed
from server.domain.tenants import TenantSettings

HOUSE = TenantSettings(name="Hill Inn")

texts = st.text(max_size=30)
BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    tuple: st.lists(texts, max_size=3).map(tuple),
    bool: st.booleans(),
    int: st.integers(-10, 10_000_000),
    float: st.floats(0, 100_000),
}
any_settings = st.builds(
    TenantSettings,
    **{one.name: BY_TYPE[type(getattr(HOUSE, one.name))] for one in fields(TenantSettings)},
)


def sent(settings: TenantSettings) -> dict[str, str]:
    """What a browser sends of a form that nobody has touched."""
    answers = shown(settings)
    return {
        field.name: answers[field.name].replace("\n", "\r\n")
        for field in FIELDS
        # A box that is not ticked is not sent.
        if field.kind is not Kind.SWITCH or answers[field.name]
    }


@given(any_settings)
def test_a_form_that_nobody_has_touched_changes_nothing(settings: TenantSettings) -> None:
    values = read(typed(sent(settings), settings), settings)
    assert values == {one.name: getattr(settings, one.name) for one in fields(TenantSettings)}


@given(st.dictionaries(st.sampled_from([field.name for field in FIELDS]), texts))
def test_whatever_is_sent_can_be_read_and_shown_again(form: dict[str, str]) -> None:
    answers = typed(form, HOUSE)
    assert read(answers, HOUSE)
    assert {name: answers[name] for name in form} == {
        name: text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") for name, text in form.items()
    }


def test_every_setting_has_its_field_but_the_pause_which_has_a_button() -> None:
    named = [field.name for field in FIELDS]
    assert len(set(named)) == len(named)
    assert {one.name for one in fields(TenantSettings)} - set(named) == {"ai_paused"}


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("facts", " A garden. \r\n\r\nA lift.\r\n", ("A garden.", "A lift.")),
        (
            "auto_messages",
            "Hello!\r\nWe answer soon.\r\n \r\nClosed.",
            ("Hello!\nWe answer soon.", "Closed."),
        ),
        ("languages", "HE, en;ar", ("he", "en", "ar")),
        ("record_calls", "1", True),
        ("name", "  Sea House ", "Sea House"),
        ("facts", "", ()),
        ("prompt", "Warm.\0", "Warm."),
    ],
)
def test_a_field_is_read_as_what_it_is(name: str, answer: str, value: object) -> None:
    current = replace(HOUSE, facts=("An old one.",))
    assert read(typed({**sent(current), name: answer}, current), current)[name] == value


def test_a_box_that_does_not_come_is_off_and_a_text_is_as_it_was() -> None:
    current = replace(HOUSE, record_calls=True, prompt="Warm.")
    values = read(typed({}, current), current)
    assert (values["record_calls"], values["prompt"]) == (False, "Warm.")
