"""What the page and the command tell one another, beside audio.

Audio is binary both ways, mu-law: 160 bytes of the microphone, any number for the loudspeaker. The rest is
JSON. From the page: ``call`` first, then ``key``, ``typing``, ``say``, ``played``, ``hang-up``. To the page:
``mark``, ``clear``, and ``event`` with what happened at seconds of the call.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LONGEST_TEXT = 500


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dial(_Message):
    """Call; ``speaks`` has the languages in which the page says texts by itself, such as ``en``."""

    type: Literal["call"]
    speaks: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=200)] = []


class Key(_Message):
    """The caller presses a key."""

    type: Literal["key"]
    key: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class Typing(_Message):
    """The caller begins or ceases to type what they say."""

    type: Literal["typing"]
    is_typing: bool


class Say(_Message):
    """The caller says *text*, in sounds that the network alone understands."""

    type: Literal["say"]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\w")]


class Played(_Message):
    """All before mark ``mark`` has been played."""

    type: Literal["played"]
    mark: Annotated[int, Field(ge=1)]


class HangUp(_Message):
    """The caller hangs up."""

    type: Literal["hang-up"]


Message = Annotated[Dial | Key | Typing | Say | Played | HangUp, Field(discriminator="type")]
READER: TypeAdapter[Message] = TypeAdapter(Message)
