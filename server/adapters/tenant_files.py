"""Files that are kept for businesses: ``FOLDER/<tenant>/<name>``, readable by this user alone."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

# The database may live on the same disk: what is kept for businesses cannot fill it.
LEAST_FREE_BYTES = 512 * 1024 * 1024


def tenant_folder(folder: Path, tenant_id: str) -> Path:
    """Where the tenant's files are, below *folder*."""
    # No id can climb out of the folder: a dot and a slash are written otherwise.
    return folder / quote(tenant_id, safe="").replace(".", "%2E")


def make_tenant_folder(path: Path) -> None:
    """Make what `tenant_folder` tells, and the folder that it is in."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def has_room(folder: Path, least_free_bytes: int) -> bool:
    """Whether the disk of *folder* is far from full."""
    return shutil.disk_usage(folder).free >= least_free_bytes


def delete_older(folder: Path, before: datetime) -> int:
    """Delete what was written last before then; returns how many files."""
    old = [path for path in folder.glob("*/*") if _written_at(path) < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime if path.is_file() else float("inf")
    except FileNotFoundError:
        # Another process has just deleted it.
        return float("inf")
