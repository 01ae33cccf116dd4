"""Secrets that are made on the first run and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from server.errors import SettingsError
from server.settings import Settings

SECRET_BYTES = 32


def internal_secret(settings: Settings) -> str:
    """What the sidecar and Flask know each other by: INTERNAL_SECRET, or the file's."""
    if settings.internal_secret is not None:
        return settings.internal_secret.get_secret_value()
    return read_or_make(settings.data_dir / "internal-secret")


def session_key(settings: Settings) -> str:
    """What console sessions are signed with."""
    return read_or_make(settings.data_dir / "session-key")


def recordings_key(settings: Settings) -> bytes:
    """What recordings of calls are sealed with: RECORDINGS_KEY, or the file's.

    Raises:
        SettingsError: the file is none of ours.
    """
    given = settings.recordings_key_bytes
    if given is not None:
        return given
    return _key_of(settings.data_dir / "recordings-key")


def staff_key(settings: Settings) -> bytes:
    """What second factors of staff are sealed with.

    Raises:
        SettingsError: the file is none of ours.
    """
    return _key_of(settings.data_dir / "staff-key")


def read_or_make(path: Path) -> str:
    """The secret kept at *path*; made there, readable by its owner alone, if there is none.

    Several processes may ask at once: a file is linked into place whole, and all read the first.

    Raises:
        SettingsError: the file is empty, or cannot be read or made.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read or make the secret {path}: {error}") from None
    if not secret:
        raise SettingsError(f"the secret {path} is empty: delete the file to have a new one made")
    return secret


def _key_of(path: Path) -> bytes:
    try:
        key = bytes.fromhex(read_or_make(path))
    except ValueError:
        key = b""
    if len(key) != SECRET_BYTES:
        # A new key would not read what was sealed with the old one.
        raise SettingsError(f"{path} is no key of ours: put it back from a backup")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()
