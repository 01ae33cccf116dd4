"""Reads a file in a process of its own, which may take only so much time and memory.

What breaks a reader, or keeps it busy, breaks or keeps nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from server.domain.knowledge import Document
from server.domain.phrases import Phrase, packed, unpacked
from server.errors import InvalidRequest
from server.knowledge.files.reading import read_documents

TIME_S = 120.0
MAX_MEMORY_BYTES = 1536 * 2**20


def read_confined(
    path: Path, *, called: str = "", time_s: float = TIME_S, memory_bytes: int = MAX_MEMORY_BYTES
) -> list[Document]:
    """As `read_documents`; takes some 0.4 s more.

    Raises:
        InvalidRequest: the file cannot be read, or not within the limits, or something in it is wrong.
    """
    name = called or str(path)
    command = [sys.executable, "-P", "-m", __name__, str(memory_bytes), str(path), name]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - this module
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=time_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidRequest(
            Phrase(
                "{name}: was not read within {most:.0f} s; split it, or save it again", name=name, most=time_s
            )
        ) from None
    if done.returncode != 0:
        raise InvalidRequest(
            Phrase("{name}: cannot be read within the memory it may take; split it", name=name)
        )
    said = json.loads(done.stdout)
    if "fault" in said:
        raise InvalidRequest(unpacked(said["fault"]))
    return [Document(**fields) for fields in said["documents"]]


def _answer(path: Path, called: str) -> dict[str, object]:
    try:
        documents = [asdict(document) for document in read_documents(path, called)]
    except InvalidRequest as error:
        return {"fault": packed(error.args[0])}
    return {"documents": documents}


def _confine(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Whoever reads has nothing to write.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()


if __name__ == "__main__":
    _confine(int(sys.argv[1]))
    print(json.dumps(_answer(Path(sys.argv[2]), sys.argv[3])))  # noqa: T201 - read by read_confined
