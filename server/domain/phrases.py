"""What the code says in English and a page, or what staff are told, may say in another language."""

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


class Counted(Phrase):
    """One thing or several: ``Counted("{count} minute", "{count} minutes", count=5)``.

    ``template`` is of one, ``many`` of any other number; a language may have more forms than these.
    """

    many: str
    number: int

    def __new__(cls, one: str, many: str, /, *, count: int) -> Counted:
        """*one* or *many*, by *count*."""
        phrase = str.__new__(cls, (one if count == 1 else many).format(count=count))
        phrase.template, phrase.many, phrase.number = one, many, count
        phrase.values = {"count": count}
        return phrase


def packed(words: object) -> object:
    """*words* as JSON takes them, for another process to say; its `unpacked` are the same."""
    if isinstance(words, Counted):
        return {"one": words.template, "many": words.many, "count": words.number}
    if not isinstance(words, Phrase):
        return words
    values = {name: packed(value) for name, value in words.values.items()}
    return {"template": words.template, "values": values}


def unpacked(words: object) -> object:
    """What `packed` was made of."""
    if not isinstance(words, dict):
        return words
    if "many" in words:
        one, many = words["one"], words["many"]
        return Counted(one, many, count=int(words["count"]))
    template, values = words["template"], words["values"]
    return Phrase(template, **{name: unpacked(value) for name, value in values.items()})
