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


def packed(words: object) -> object:
    """*words* as JSON takes them, for another process to say; its `unpacked` are the same."""
    if not isinstance(words, Phrase):
        return words
    values = {name: packed(value) for name, value in words.values.items()}
    return {"template": words.template, "values": values}


def unpacked(words: object) -> object:
    """What `packed` was made of."""
    if not isinstance(words, dict):
        return words
    return Phrase(words["template"], **{name: unpacked(value) for name, value in words["values"].items()})
