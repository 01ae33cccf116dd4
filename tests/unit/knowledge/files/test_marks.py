"""What stands in braces after a heading: id, season, hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.knowledge.files.json_lines import parse_json_lines
from server.knowledge.files.marks import Marks, split_marks
from server.knowledge.files.reading import parse_markdown


@pytest.mark.parametrize(
    ("heading", "title", "marks"),
    [
        ("Pool", "Pool", Marks()),
        ("Pool {#pool}", "Pool", Marks("pool")),
        ("Pool {#p from=06-01 until=09-30}", "Pool", Marks("p", "06-01", "09-30")),
        ("Ski {from=11-01  until=03-31 #ski}", "Ski", Marks("ski", "11-01", "03-31")),
        ("Works {from=2026-06-01}", "Works", Marks(valid_from="2026-06-01")),
        ("Works {until='2028-02-29'}", "Works", Marks(valid_until="2028-02-29")),
        ("Leap {from=02-29 until=02-29}", "Leap", Marks("", "02-29", "02-29")),
        ('Bar {hours="Su-Th 17:00-23:00; Sa off"}', "Bar", Marks(hours="Su-Th 17:00-23:00; Sa off")),
        ("Bar {hours=“24/7”}", "Bar", Marks(hours="24/7")),
        ("""Spa {hours='Mo 09:00-17:00 "by appointment"'}""", "Spa",
         Marks(hours='Mo 09:00-17:00 "by appointment"')),
        ("Sets {a, b}", "Sets {a, b}", Marks()),
        ("Sets {a} and {b} here", "Sets {a} and {b} here", Marks()),
    ],
)  # fmt: skip
def test_braces_are_read_and_taken_off_the_heading(heading: str, title: str, marks: Marks) -> None:
    assert split_marks(heading, "faq.md, line 1") == (title, marks)


@pytest.mark.parametrize(
    ("braces", "remedy"),
    [
        ("{#a b}", "write it like {#pool from=06-01"),
        ("{#a #b}", "write it like"),
        ("{form=06-01}", "write it like"),
        ("{from=06-01 from=07-01}", "write it like"),
        ('{hours="24/7}', "write it like"),
        ('{hours="24/7"until=06-01}', "write it like"),
        ("{from=06-31 until=07-01}", "'06-31' is no day; write 2026-06-01, or 06-01"),
        ("{from=2026-02-29}", "is no day"),
        ("{from=1.6.2026}", "is no day"),
        ("{from=٠٦-٠١ until=٠٧-٠١}", "is no day"),
        ("{from=06-01}", "needs its first and its last day"),
        ("{from=2026-06-01 until=09-30}", "both days of the season with their year, or both without"),
        ("{from=2026-06-02 until=2026-06-01}", "ends (2026-06-01) before it begins"),
        ('{hours="8 to 20"}', "write them like 'Su-Th 07:00-10:30; Fr"),
        ('{hours="' + "24/7; " * 100 + '24/7"}', "write them like"),
    ],
)
def test_a_fault_in_braces_names_its_place_and_the_remedy(braces: str, remedy: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_markdown(f"## Gym\nYes.\n\n## Pool {braces}\nNo.", "faq.md")
    assert str(raised.value).startswith("faq.md, line 4: ")
    assert remedy in str(raised.value)


def test_a_markdown_page_and_a_json_line_say_the_same_of_season_and_hours() -> None:
    (page,) = parse_markdown('## Pool {#pool from=06-01 until=09-30 hours="Su-Fr 08:00-19:00"}\nYes.', "a.md")
    line = (
        '{"id": "pool", "title": "Pool", "body": "Yes.", "valid_from": "06-01", "valid_until": "09-30",'
        ' "hours": "Su-Fr 08:00-19:00"}'
    )
    assert parse_json_lines(line, "a.jsonl") == [page]


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ('"valid_from": 7', '"valid_from" is not text'),
        ('"valid_from": "2026-13-01"', "is no day"),
        ('"hours": "all day"', "write them like"),
        ('"hours": ["24/7"]', '"hours" is not text'),
    ],
)
def test_a_fault_in_a_json_lines_season_or_hours_is_named(field: str, remedy: str) -> None:
    with pytest.raises(InvalidRequest, match=r"a\.jsonl, line 1: ") as raised:
        parse_json_lines(f'{{"id": "a", "title": "A", "body": "b", {field}}}', "a.jsonl")
    assert remedy in str(raised.value)


@given(st.text(alphabet="{}#= \"'“ab-069:/;frountilhs\n", max_size=60))
def test_any_heading_is_read_or_refused_and_what_is_not_in_braces_stays(heading: str) -> None:
    try:
        title, marks = split_marks(heading, "faq.md, line 1")
    except InvalidRequest:
        return
    assert heading.strip().startswith(title)
    if marks == Marks():
        rest = heading.strip().removeprefix(title)
        assert not rest.strip().strip("{}").strip()
