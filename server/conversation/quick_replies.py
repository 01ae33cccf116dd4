"""Questions that a guest may want to ask next, to be tapped rather than typed."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.knowledge import Citation
from server.domain.language import UNDETERMINED, detect_language

MOST = 3
# Far below what is answered from or offered: it stands beside an answer and costs nothing to ignore.
_LEAST = 0.003
_LONGEST = 60


def quick_replies(ranking: Sequence[Citation], cited: Sequence[Citation], language: str) -> tuple[str, ...]:
    """The headings of what else the business tells on the matter, in the guest's language, nearest first.

    Args:
        ranking: what was found for the question, best first.
        cited: what the answer is from already.
    """
    told = {citation.title for citation in cited}
    titles = dict.fromkeys(
        found.title for found in ranking if found.score >= _LEAST and found.title not in told
    )
    return tuple(title for title in titles if _fits(title, language))[:MOST]


def _fits(title: str, language: str) -> bool:
    return 0 < len(title) <= _LONGEST and detect_language(title) in (language, UNDETERMINED)
