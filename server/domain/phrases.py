"""What the code says in English and a page may say in its reader's language."""

from __future__ import annotations

from collections.abc import Mapping


class Phrase(str):
    """English, and what it was made of: ``Phrase("write 1 to {most} characters", most=40)``.

    ``template`` is what is translated; among its ``values`` may be phrases.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Phrase:
        """*template* with its *values*."""
        phrase = super().__new__(cls, template.format(**values))
        phrase.template, phrase.values = template, values
        return phrase
