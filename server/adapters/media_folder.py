"""What guests sent, as files of this machine: ``DATA_DIR/media/<tenant>/<message>``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from server.adapters.tenant_files import (
    LEAST_FREE_BYTES,
    delete_older,
    has_room,
    make_tenant_folder,
    tenant_folder,
)
from server.errors import ProviderUnavailable
from server.ports.media import PROVIDER, MediaFault

_UNFINISHED = ".part"


class MediaFolder:
    """Keeps the ``MediaShelf`` port. Files are readable by this user alone, and named by ids of ours.

    Args:
        folder: made when something is kept.
    """

    def __init__(self, folder: Path, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._folder = folder
        self._least_free_bytes = least_free_bytes

    def find(self, tenant_id: str, message_id: int) -> Path | None:
        """The whole file, if it is here."""
        path = self._path(tenant_id, message_id)
        return path if path.is_file() else None

    @contextmanager
    def keep(self, tenant_id: str, message_id: int) -> Iterator[BinaryIO]:
        """A file that takes its name when all of it is written: who finds it finds it whole."""
        path = self._path(tenant_id, message_id)
        try:
            part = self._begin(path)
        except OSError as error:
            raise ProviderUnavailable(PROVIDER, type(error).__name__) from error
        try:
            with part as file:
                yield cast(BinaryIO, file)
            Path(part.name).replace(path)
        except OSError as error:
            raise ProviderUnavailable(PROVIDER, type(error).__name__) from error
        finally:
            Path(part.name).unlink(missing_ok=True)

    def remove(self, tenant_id: str, message_id: int) -> None:
        """Delete the file, and its unfinished parts: whoever writes one fails."""
        path = self._path(tenant_id, message_id)
        try:
            for found in (path, *path.parent.glob(f"{path.name}.*{_UNFINISHED}")):
                found.unlink(missing_ok=True)
        except OSError as error:
            raise ProviderUnavailable(PROVIDER, type(error).__name__) from error

    def forget(self, before: datetime) -> int:
        """Delete what was written before then."""
        return delete_older(self._folder, before)

    def _begin(self, path: Path) -> tempfile._TemporaryFileWrapper[bytes]:
        make_tenant_folder(path.parent)
        if not has_room(self._folder, self._least_free_bytes):
            raise ProviderUnavailable(PROVIDER, MediaFault.NO_ROOM)
        # Of mode 0600.
        return tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f"{path.name}.", suffix=_UNFINISHED, delete=False
        )

    def _path(self, tenant_id: str, message_id: int) -> Path:
        return tenant_folder(self._folder, tenant_id) / str(int(message_id))
