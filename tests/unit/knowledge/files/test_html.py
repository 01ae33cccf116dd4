"""What a visitor of a page reads becomes documents, and nothing else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.knowledge.files.html import html_sections, line_of
from server.knowledge.files.reading import parse_html


def bodies(markup: str) -> dict[str, str]:
    """Title and body of each section."""
    return {section.title: section.body for section in html_sections(markup, "page.html", "page", line_of)}


def body(markup: str) -> str:
    """The text of a page that is one section."""
    (text,) = bodies(f"<h1>Pool</h1>{markup}").values()
    return text


def test_headings_are_kept_with_those_they_stand_under() -> None:
    page = "<h1>Inn</h1><h2>Pool</h2><h3>Hours</h3><p>From 8.</p><h3>Rules</h3><p>Shower.</p><h2>Pets</h2>No."
    assert bodies(page) == {"Pool: Hours": "From 8.", "Pool: Rules": "Shower.", "Pets": "No."}


def test_several_highest_headings_are_topics() -> None:
    assert bodies("<h1>Pool</h1>Yes.<h1>Rooms</h1><h2>Beds</h2>Soft.") == {
        "Pool": "Yes.",
        "Rooms: Beds": "Soft.",
    }


def test_text_above_the_first_heading_stands_under_the_title_of_the_page_or_the_file() -> None:
    assert bodies("<title> Hill\nInn </title>Welcome.<h2>Pool</h2>No.") == {
        "Hill Inn": "Welcome.",
        "Pool": "No.",
    }
    assert bodies("Welcome.") == {"page": "Welcome."}


def test_a_title_is_made_fit_to_be_kept() -> None:
    (title,) = bodies("<title>Hill\0Inn\v" + "x" * 5_000 + "</title>Welcome.")
    assert title.startswith("Hill Inn xxx")
    assert len(title) == 160


def test_a_heading_with_nothing_under_it_is_not_lost() -> None:
    assert bodies("<h2>Pool</h2>No.<h2>Free parking</h2>") == {"Pool": "No.\n\nFree parking"}


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>x()</script>",
        "<style>p { color: red }</style>",
        "<nav>Home</nav>",
        "<div role=navigation>Home</div>",
        "<form>Name <input><button>Send</button></form>",
        "<p hidden>Secret</p>",
        "<p style='color:red; DISPLAY : none'>Secret</p>",
        "<p aria-hidden=true>Secret</p>",
        "<template>Secret</template>",
        "<svg><title>Icon</title><text>Icon</text></svg>",
        "<!-- secret -->",
        "<iframe src='http://127.0.0.1:9/'>Secret</iframe>",
    ],
)
def test_what_is_not_for_reading_is_dropped(hidden: str) -> None:
    assert body(f"<p>Open{hidden} daily.</p>") == "Open daily."


def test_lists_are_lines() -> None:
    page = "<ul><li>cars<ul><li>small</ul><li><p>bikes</p></ul><ol start=3><li>one<li>two</ol>"
    assert body(page) == "- cars\n  - small\n- bikes\n\n3. one\n4. two"


def test_tables_are_a_line_a_row() -> None:
    page = (
        "<table><caption>Prices</caption><tr><th>Room<th>Low<th>High</tr>"
        "<tr><td>Single</td><td><p>40</p></td><td>50</td></tr><tr><td>Double<td><td>80</table>after"
    )
    assert body(page) == "Prices\nRoom: Low, High\nSingle: 40, 50\nDouble: 80\n\nafter"


def test_a_table_that_holds_headings_is_read_as_a_page() -> None:
    page = "<table><tr><td><h2>Pool</h2><p>No.</p></td><td><h2>Pets</h2><p>Yes.</p></td></tr></table>"
    assert bodies(page) == {"Pool": "No.", "Pets": "Yes."}


def test_questions_that_unfold_are_headings_and_what_follows_them_is_not_theirs() -> None:
    page = (
        "<h1>FAQ</h1><details><summary>Dogs?</summary>Yes.</details>"
        "<details><summary>Cats?</summary><p>No.</p></details><p>Ask us.</p>"
    )
    assert bodies(page) == {"Dogs?": "Yes.", "Cats?": "No.", "FAQ": "Ask us."}


def test_the_address_of_a_link_follows_its_words_unless_they_are_it() -> None:
    assert body("<a href='https://x.example/m'>the map</a>") == "the map (https://x.example/m)"
    assert body("<a href='tel:+97246'>+972-4-6</a> <a href='/pool'>pool</a>") == "+972-4-6 pool"
    assert body("<a href='mailto:a@x.example?subject=b'>mail</a>") == "mail (a@x.example)"
    assert body("<a href='javascript:alert(1)'>press</a>") == "press"


def test_line_breaks_and_preformatted_text_keep_their_lines() -> None:
    assert body("a<br>b\nc<pre>d\ne</pre>") == "a\nb c\n\nd\ne"


def test_ids_come_from_the_file_and_the_heading_and_each_is_the_only_one() -> None:
    page = "<h2 id='pool'>The pool</h2>a<h2>Rooms</h2>b<h2>Rooms</h2>c<h2>Rooms 2</h2>d<h2>?</h2>e"
    ids = [document.id for document in parse_html(page.encode(), "folder/House rules.he.html")]
    assert ids == [
        "house-rules-pool.he",
        "house-rules-rooms.he",
        "house-rules-rooms-3.he",
        "house-rules-rooms-2.he",
        "house-rules.he",
    ]


def test_season_and_hours_stand_in_the_braces_of_a_heading() -> None:
    page = "<h2>Pool {#spa from=06-01 until=09-30 hours='Su-Fr 08:00-19:00'}</h2><p>Outdoors.</p>"
    (document,) = parse_html(page.encode(), "page.html")
    assert (document.id, document.title, document.valid_from) == ("page-spa", "Pool", "06-01")
    with pytest.raises(InvalidRequest, match=r"page\.html, line 2: '06-31' is no day"):
        parse_html(b"\n<h2>Pool {from=06-31 until=07-01}</h2>x", "page.html")


def test_a_page_in_an_old_encoding_is_read_by_what_it_says_of_itself() -> None:
    page = "<meta charset=windows-1255><h2>בריכה</h2><p>אין בריכה.</p>".encode("cp1255")
    (document,) = parse_html(page, "page.html")
    assert (document.title, document.body, document.language) == ("בריכה", "אין בריכה.", "he")


def test_tags_nested_deep_or_never_closed_are_read() -> None:
    assert body("<div>" * 30_000 + "deep") == "deep"
    assert body("<b>" * 5_000 + "<ul><li>" * 1_000 + "deep").endswith("- deep")
    assert bodies("<h2>Pool<p>No.<p>Sorry.<h2>Gym<p>Yes.") == {"Pool": "No.\n\nSorry.", "Gym": "Yes."}


_READ = ["p", "div", "b", "a", "span", "ul", "ol", "li", "table", "tr", "td", "th", "h1", "h2", "h3", "pre",
         "details", "summary", "blockquote", "dl", "dt", "dd", "br", "section"]  # fmt: skip
_PIECES = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in _READ] + [f"</{tag}>" for tag in _READ]),
    st.sampled_from(["w", " w ", "\n"]),
)


@given(st.lists(_PIECES, max_size=40))
def test_no_visible_word_is_lost_whatever_the_tags(soup: list[str]) -> None:
    words = (f"w{number}x" for number in range(len(soup)))
    # Two highest headings: none of them names the page, which is not said in its sections.
    markup = "<h1>Inn</h1>a<h1>Out</h1>b<p>" + "".join(
        re.sub("w", lambda _: next(words), piece, count=1) for piece in soup
    )
    told = html_sections(markup, "page.html", "page", line_of)
    read = {word for section in told for word in re.findall(r"w\d+x", section.title + "\n" + section.body)}
    assert read == set(re.findall(r"w\d+x", markup))


@given(st.text(alphabet="<>/!-&;=\"' abph1ulit\n\0\ud800א", max_size=100))
def test_any_page_is_read_or_refused(markup: str) -> None:
    try:
        documents = parse_html(markup.encode(errors="replace"), "page.html")
    except InvalidRequest:
        return
    assert len({document.id for document in documents}) == len(documents) > 0
    assert all(document.title.strip() and document.body.strip() for document in documents)
    assert "\0" not in "".join(document.title + document.body for document in documents)
