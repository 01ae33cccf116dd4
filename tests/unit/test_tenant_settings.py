"""Which settings of a business will not do, and what is said of them."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.tenants import Tenant, TenantSettings
from server.tenant_settings import check_settings, taken_numbers

SOUND = asdict(TenantSettings(name="Hill Inn"))
texts = st.text(max_size=20)


def test_all_faults_are_told_at_once_each_with_its_setting() -> None:
    checked = check_settings(
        SOUND
        | {
            "name": " ",
            "daily_budget_usd": "five",
            "hand_back_after_minutes": "-1",
            "staff_emails": ["nobody"],
            "phone_numbers": ["03-123"],
            "languages": ["english"],
            "time_zone": "Mars/Olympus",
            "staff_webhook": "http://[",
        }
    )
    assert sorted(fault.setting for fault in checked.faults) == [
        "daily_budget_usd",
        "hand_back_after_minutes",
        "languages",
        "name",
        "phone_numbers",
        "staff_emails",
        "staff_webhook",
        "time_zone",
    ]
    assert "'nobody' is no e-mail address" in " ".join(map(str, checked.faults))


def test_settings_that_will_work_are_as_they_were_given() -> None:
    checked = check_settings(SOUND | {"staff_numbers": ("+972 50-123 4567",), "daily_budget_usd": "2.50"})
    assert not checked.faults
    assert checked.settings.staff_numbers == ("+972 50-123 4567",)
    assert checked.settings.daily_budget_usd == 2.5


@given(st.dictionaries(st.sampled_from(sorted(SOUND)), texts | st.lists(texts) | st.floats() | st.none()))
def test_whatever_comes_is_told_and_never_breaks(values: dict[str, object]) -> None:
    checked = check_settings(SOUND | values)
    assert {fault.setting for fault in checked.faults} <= set(SOUND)
    assert all(str(fault) for fault in checked.faults)


def test_what_others_wrote_is_no_place_for_values() -> None:
    (fault,) = check_settings(SOUND | {"staff_numbers": ["{0} {nothing}"]}).faults
    assert "{0} {nothing}" in str(fault)


def test_a_number_of_another_business_is_taken() -> None:
    mine = TenantSettings(name="Hill Inn", phone_numbers=("+97231234567", "+97231234568"))
    theirs = TenantSettings(name="Sea House", phone_numbers=("+97231234568",))
    both = [Tenant("1", mine), Tenant("2", theirs)]
    assert taken_numbers("1", mine, both) == {"+97231234568": "2"}


@pytest.mark.parametrize("at", ["", "07:00", "23:59"])
def test_a_morning_report_has_a_time_of_day_or_none(at: str) -> None:
    checked = check_settings(SOUND | {"morning_report_at": at})
    assert not checked.faults
    assert checked.settings.morning_report_at == at


@pytest.mark.parametrize("at", ["7", "7:00", "24:00", "07:60", "07:00 ", "morning"])
def test_what_is_no_time_of_day_is_told(at: str) -> None:
    (fault,) = check_settings(SOUND | {"morning_report_at": at}).faults
    assert str(fault) == "morning_report_at: must be a time of day such as 07:00"
