"""Files that are to be imported, between the look at them and the word of whoever gave them."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

import structlog

from server.domain.knowledge import Document
from server.domain.phrases import Phrase
from server.errors import InvalidRequest, NotFound, TooBusy
from server.knowledge.files.confined import read_confined
from server.knowledge.files.documents import joined
from server.knowledge.files.reading import MAX_FILE_BYTES
from server.ports.clock import Clock

KEPT_FOR = timedelta(hours=1)
MOST_FILES = 10
# A page waits for all of them.
READ_S = 30.0
_LEAST_S = 1.0
# What a file system takes, less the room for what the reader adds.
_LONGEST_NAME_BYTES = 200
_CHUNK = 64 * 1024
# A step that nothing was heard of for so long has died with its process.
_SILENT = timedelta(minutes=2)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")

log = structlog.get_logger(__name__)


class Step(StrEnum):
    """How far an import has got."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` texts are embedded; ``counts`` are what an import that is done has changed."""

    step: Step = Step.WAITING
    done: int = 0
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: its name and its bytes, neither to be trusted."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class Staged:
    """What files hold. ``sources`` are their names."""

    documents: Sequence[Document]
    sources: Sequence[str]


class StagedImports:
    """Keeps what the files hold in ``FOLDER/<tenant>/<token>.json``, for an hour; the files themselves go at
    once. Names are unguessable, and files readable by this user alone.

    Args:
        folder: made when something is kept.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        # What reads a file may take much memory.
        self._reading = threading.Lock()

    def put(self, tenant_id: str, uploads: Sequence[Upload]) -> str:
        """Read *uploads* and keep what they hold; returns the token that finds it. Blocks.

        Raises:
            InvalidRequest: one cannot be read; the message says why and how to mend it.
            TooBusy: others are being read.
        """
        if not uploads:
            raise InvalidRequest(Phrase("there is no file; choose at least one"))
        if len(uploads) > MOST_FILES:
            raise InvalidRequest(
                Phrase("there are more than {most} files; give fewer at a time", most=MOST_FILES)
            )
        self.forget()
        own = self._of_tenant(tenant_id)
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._reading.acquire(timeout=READ_S):
            raise TooBusy(Phrase("other files are being read; try again in a moment"))
        try:
            with tempfile.TemporaryDirectory(dir=own, prefix="reading-") as folder:
                documents = joined(_each_read(Path(folder), uploads))
        finally:
            self._reading.release()
        token = secrets.token_urlsafe(24)
        kept = {
            "sources": [_plain_name(upload.name) for upload in uploads],
            "documents": [asdict(replace(document, changed_at=None)) for document in documents],
        }
        self._write(own / f"{token}.json", kept)
        return token

    def find(self, tenant_id: str, token: str) -> Staged:
        """What the files held.

        Raises:
            NotFound: the tenant has no such import (any more).
        """
        kept = self._load(self._path(tenant_id, token))
        if kept is None:
            raise NotFound("these files are not here any more")
        return Staged([Document(**values) for values in kept["documents"]], kept["sources"])

    def progress(self, tenant_id: str, token: str) -> Progress:
        """How far it has got; one whose process has died waits again."""
        kept = self._load(self._path(tenant_id, token).with_suffix(".progress"))
        if kept is None:
            return Progress()
        noted = Progress(Step(kept["step"]), kept["done"], kept["total"], kept["counts"])
        silent = self._clock.now() - datetime.fromisoformat(kept["at"])
        return Progress() if noted.step is Step.RUNNING and silent > _SILENT else noted

    def note(self, tenant_id: str, token: str, progress: Progress) -> None:
        """Keep how far it has got."""
        kept = {**asdict(progress), "at": self._clock.now().isoformat()}
        self._write(self._path(tenant_id, token).with_suffix(".progress"), kept)

    def forget(self) -> None:
        """Delete what is older than an hour."""
        before = (self._clock.now() - KEPT_FOR).timestamp()
        for path in self._folder.glob("*/*"):
            # What another process deletes at the same time is gone as well.
            with suppress(FileNotFoundError):
                if _written_at(path) < before:
                    _delete(path)

    def _of_tenant(self, tenant_id: str) -> Path:
        # No id can climb out of the folder: a dot and a slash are written otherwise.
        return self._folder / quote(tenant_id, safe="").replace(".", "%2E")

    def _path(self, tenant_id: str, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise NotFound("there is no such import")
        return self._of_tenant(tenant_id) / f"{token}.json"

    def _write(self, path: Path, value: object) -> None:
        """All at once: who reads it reads it whole."""
        part = path.with_suffix(f".{secrets.token_hex(8)}.part")
        with part.open("x", encoding="utf-8") as file:
            json.dump(value, file)
        at = self._clock.now().timestamp()
        os.utime(part, (at, at))
        part.replace(path)

    def _load(self, path: Path) -> dict[str, Any] | None:
        try:
            if _written_at(path) < (self._clock.now() - KEPT_FOR).timestamp():
                return None
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return kept


def _each_read(folder: Path, uploads: Sequence[Upload]) -> Iterator[tuple[str, list[Document]]]:
    until = time.monotonic() + READ_S
    for place, upload in enumerate(uploads):
        name = _plain_name(upload.name)
        path = folder / str(place) / name
        path.parent.mkdir()
        _save(upload.content, path, name)
        # Where it lies for a moment is nobody's business.
        documents = read_confined(path, called=name, time_s=max(_LEAST_S, until - time.monotonic()))
        path.unlink()
        yield name, documents


def _plain_name(name: str) -> str:
    """*name* without folders and what cannot be seen.

    Raises:
        InvalidRequest: nothing is left, or too much.
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(character for character in last if character.isprintable()).strip(" .")
    if not plain:
        raise InvalidRequest(Phrase("a file has no name; give it one"))
    if len(plain.encode()) > _LONGEST_NAME_BYTES:
        raise InvalidRequest(Phrase("{name}…: the file's name is too long; rename it", name=plain[:40]))
    return plain


def _save(content: IO[bytes], path: Path, name: str) -> None:
    written = 0
    with path.open("xb") as file:
        while chunk := content.read(_CHUNK):
            written += len(chunk)
            if written > MAX_FILE_BYTES:
                raise InvalidRequest(
                    Phrase(
                        "{name}: larger than {most} MB; split it into several files",
                        name=name,
                        most=MAX_FILE_BYTES // 2**20,
                    )
                )
            file.write(chunk)


def _delete(path: Path) -> None:
    if path.is_dir():
        # Of a process that has died while it was reading.
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _written_at(path: Path) -> float:
    return path.stat().st_mtime
