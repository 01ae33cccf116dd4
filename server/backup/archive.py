"""The archive: a compressed tar of a folder, whose manifest tells versions and checksums."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from server.errors import CommandError

FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK = 1 << 20

# Told the name of each part as it is done.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds.

    ``database`` is ``sqlite`` or ``postgresql``; ``revision`` that of its tables; ``columns`` those of each
    table, on PostgreSQL; ``checksums`` the SHA-256 of each file.
    """

    database: str
    revision: str
    columns: dict[str, list[str]] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    format: int = FORMAT


def pack(folder: Path, manifest: Manifest, target: Path, progress: Progress) -> None:
    """Write all files below *folder* to *target*, whole or not at all, readable by its owner alone."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest.checksums.update({str(path.relative_to(folder)): _checksum(path) for path in files})
    note = folder / MANIFEST
    note.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                for path in (note, *files):
                    tar.add(path, str(path.relative_to(folder)))
                    progress(str(path.relative_to(folder)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def unpack(source: Path, folder: Path, progress: Progress) -> Manifest:
    """Unpack *source* into *folder* and check that every file is what it was.

    Raises:
        CommandError: it cannot be read, is damaged, or comes from a later version.
    """
    try:
        with tarfile.open(source, mode="r:gz") as tar:
            for member in tar:
                _extract(tar, member, folder)
                progress(member.name)
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        if error.filename is not None and Path(error.filename) == source:
            raise CommandError(f"cannot read {source}: {error.strerror}") from None
        raise _damaged(source) from None
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, TypeError):
        raise _damaged(source) from None
    if manifest.format > FORMAT:
        raise CommandError(f"{source} was made by a later version of Frontdesk: update first")
    found = {
        str(path.relative_to(folder)): _checksum(path)
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    }
    if found != manifest.checksums:
        raise _damaged(source)
    return manifest


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file. The filters of ``tarfile`` would do so too, but Python has them from 3.11.4 on only.

    Raises:
        ValueError: it is no file below the folder, as all of ours are.
    """
    target = folder / member.name
    content = tar.extractfile(member) if member.isreg() else None
    if content is None or not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError("this member is none of ours")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file, _BLOCK)
    target.chmod(member.mode & 0o700 | 0o600)
    os.utime(target, (member.mtime, member.mtime))


def _damaged(source: Path) -> CommandError:
    return CommandError(
        f"{source} is damaged or no backup of Frontdesk: nothing was changed, use another one"
    )


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
