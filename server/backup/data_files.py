"""What processes keep in DATA_DIR beside the database: secrets, and the sidecar's store."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from server.errors import CommandError

COPY_TIMEOUT_S = 600
_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = "data"
# Of processes that run, or made anew when they are missing.
_PASSING = frozenset({"owners", "workers", "cache", "metrics", "imports"})
_STORE = Path("whatsapp")
_STORE_FILES = frozenset({"data.mdb", "lock.mdb"})
# LMDB copies a store that another process has open as it is at one moment.
_COPY_STORE = """
import { open } from 'lmdb'
const [source, target] = process.argv.slice(1)
const store = open({ path: source, noSubdir: false, maxDbs: 16, readOnly: true })
await store.backup(target, false)
await store.close()
"""


def dump(data_dir: Path, database: Path | None, folder: Path) -> None:
    """Copy all of *data_dir* but *database*, which is SQLite's file where there is one."""
    passing = set() if database is None else {database.name + end for end in ("", "-wal", "-shm")}
    for path in sorted(data_dir.rglob("*")):
        inside = path.relative_to(data_dir)
        if inside.parts[0] in _PASSING | passing or _is_of_store(inside) or not path.is_file():
            continue
        target = folder / _FOLDER / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        # What guests sent is deleted in its time, and may be gone by now.
        with suppress(FileNotFoundError):
            shutil.copy2(path, target)
    if (data_dir / _STORE / "data.mdb").exists():
        _copy_store(data_dir / _STORE, folder / _FOLDER / _STORE)


def load(folder: Path, data_dir: Path) -> None:
    """Put the files in place of those that are there."""
    shutil.rmtree(data_dir / _STORE, ignore_errors=True)
    data_dir.mkdir(parents=True, exist_ok=True)
    if (folder / _FOLDER).is_dir():
        shutil.copytree(folder / _FOLDER, data_dir, dirs_exist_ok=True)


def has_link(data_dir: Path) -> bool:
    """Whether a sidecar keeps its store there."""
    return (data_dir / _STORE / "data.mdb").exists()


def _is_of_store(inside: Path) -> bool:
    return inside.parent == _STORE and inside.name in _STORE_FILES


def _copy_store(store: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    node = shutil.which("node")
    if node is None:
        raise CommandError(
            "Node is missing, which the WhatsApp store is copied with: install Node 20 or newer"
        )
    done = subprocess.run(  # noqa: S603 - found on the PATH
        [node, "--input-type=module", "-e", _COPY_STORE, str(store.resolve()), str(target.resolve())],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=COPY_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0 or not (target / "data.mdb").exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CommandError(f"the WhatsApp store {store} could not be copied: {reason}")
