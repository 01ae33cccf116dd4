"""The control door of the simulators of Google's speech services, and what can go wrong on command.

- ``POST /control`` takes a ``Behaviour`` as JSON. Each call says everything: what it does not name goes back
  to its default. What is under way goes on as it began.
- ``POST /control/trouble`` takes a ``Trouble``, which is in force until the next ``POST /control``.
- ``GET /control/records`` lists streams or calls since the last ``POST /control``; with ``?settled=1`` once
  none is under way any more. ``GET /control/counts`` adds them up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.http_server import Answer, Request
from simulators.troubles import Trouble, Troubles


class Fault(BaseModel):
    """What goes wrong with a stream or a call once ``after_s`` seconds of audio have gone over it.

    ``refuse`` ends it with ``status`` before any audio, ``break`` later; ``hang`` says nothing more; ``cut``
    breaks off the whole connection.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["refuse", "break", "hang", "cut"]
    after_s: Annotated[float, Field(ge=0)] = 0
    status: str = "UNAVAILABLE"


class Faulty(BaseModel):
    """``fault`` is met by the share ``fault_share``, drawn from ``seed``, at most ``fault_times``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault | None = None
    fault_share: Annotated[float, Field(ge=0, le=1)] = 1
    fault_times: Annotated[int, Field(ge=0)] | None = None
    seed: int = 0


class _Record(Protocol):
    outcome: Any
    fault: str | None

    def model_dump(self) -> dict[str, Any]: ...


BehaviourT = TypeVar("BehaviourT", bound=Faulty)
RecordT = TypeVar("RecordT", bound=_Record)


class Door(Generic[BehaviourT, RecordT]):
    """How the simulator behaves, what it has recorded since, and the HTTP to both.

    Args:
        counted: adds records up.
        told: is told of each behaviour before it is in force.
    """

    def __init__(
        self,
        behaviour: BehaviourT,
        counted: Callable[[Sequence[RecordT]], dict[str, Any]],
        told: Callable[[BehaviourT], None] = lambda _behaviour: None,
    ) -> None:
        self._kind = type(behaviour)
        self._counted = counted
        self._told = told
        self._changed = asyncio.Event()
        self._behave(behaviour)

    async def handle(self, request: Request, answer: Answer) -> None:
        """Route one request."""
        route = (request.method, request.path)
        if route == ("POST", "/control"):
            self._control(request, answer)
        elif route == ("POST", "/control/trouble"):
            self._add_trouble(request, answer)
        elif route == ("GET", "/control/records"):
            await self._list(request, answer)
        elif route == ("GET", "/control/counts"):
            answer.json(200, self._counted(self._records))
        else:
            answer.json(404, {"error": f"there is no {request.method} {request.path}"})

    def begin(self, record: RecordT) -> Fault | None:
        """Record a stream or call; returns what goes wrong with it."""
        self._records.append(record)
        behaviour = self.behaviour
        is_drawn = self._random.random() < behaviour.fault_share
        if behaviour.fault is None or not is_drawn or self._met == behaviour.fault_times:
            return None
        self._met += 1
        record.fault = behaviour.fault.kind
        return behaviour.fault

    def ended(self) -> None:
        """A stream or call has ended."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _behave(self, behaviour: BehaviourT) -> None:
        self._told(behaviour)
        self.behaviour = behaviour
        self._random = Random(behaviour.seed)  # noqa: S311 - repeatable on purpose
        self._records: list[RecordT] = []
        self._met = 0
        self.troubles = Troubles()

    def _control(self, request: Request, answer: Answer) -> None:
        try:
            self._behave(self._kind.model_validate_json(request.body or b"{}"))
        except ValidationError as error:
            answer.json(422, {"error": str(error)})
            return
        answer.json(200, {})

    def _add_trouble(self, request: Request, answer: Answer) -> None:
        try:
            self.troubles.add(Trouble.model_validate_json(request.body))
        except ValidationError as error:
            answer.json(422, {"error": str(error)})
            return
        answer.json(200, {})

    async def _list(self, request: Request, answer: Answer) -> None:
        while "settled" in request.query and any(record.outcome == "under_way" for record in self._records):
            await self._changed.wait()
        answer.json(200, [record.model_dump() for record in self._records])
