"""A whole run: round after round, each noted when it has ended, so that an interrupted run goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.faults.installation import DatabaseKind
from bench.faults.killer import Kill
from bench.faults.round import Plan, Result, Round


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; a run goes on only with the wish that it was begun with."""

    database: DatabaseKind
    kills: int
    seed: int
    guests: int
    kills_a_round: int

    def plans(self) -> list[Plan]:
        """Its rounds; each has a seed of its own, so that no two are alike."""
        sizes = [
            min(self.kills_a_round, self.kills - done) for done in range(0, self.kills, self.kills_a_round)
        ]
        return [
            Plan(self.database, kills, self.seed * 10_000 + number, self.guests)
            for number, kills in enumerate(sizes)
        ]


class WrongFolder(Exception):
    """The folder holds another run; the message says which."""


def run(wish: Wish, folder: Path, tell: Callable[[Kill], None]) -> list[Result]:
    """Run what of *wish* is not in *folder* yet, and return the results of all rounds.

    Raises:
        WrongFolder: the folder holds another run.
        LabError: an installation did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check(wish, folder / "wish.json")
    results = []
    for number, plan in enumerate(wish.plans()):
        path = folder / f"round-{number}.json"
        if not path.exists():
            _run_round(plan, folder / f"round-{number}", path, tell)
        results.append(Result.from_json(json.loads(path.read_text(encoding="utf-8"))))
    return results


def _run_round(plan: Plan, folder: Path, path: Path, tell: Callable[[Kill], None]) -> None:
    # What an interrupted round has left says nothing: guests and phones of then are gone.
    shutil.rmtree(folder, ignore_errors=True)
    result = Round(plan, folder, tell).run()
    written = path.with_suffix(".part")
    written.write_text(json.dumps(result.to_json()), encoding="utf-8")
    written.replace(path)
    if result.verdict.holds:
        shutil.rmtree(folder, ignore_errors=True)


def _check(wish: Wish, path: Path) -> None:
    wanted = asdict(wish)
    if not path.exists():
        path.write_text(json.dumps(wanted), encoding="utf-8")
        return
    begun = json.loads(path.read_text(encoding="utf-8"))
    if begun != wanted:
        raise WrongFolder(f"{path.parent} holds another run ({begun}): take another folder or remove it")
