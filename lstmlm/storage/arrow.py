"""The stores as a filesystem of Arrow, for libraries that take one, such as Ray Train."""

from __future__ import annotations

from typing import Any

from lstmlm.formats.arrow import fs
from lstmlm.storage.clients import filesystem


class StoreHandler(fs.FSSpecHandler):
    """Passes everything on to the client of a store. Sent to another process it makes that process's own client there.

    So no key is sent with it.

    Args:
        scheme: Such as `s3`.
    """

    def __init__(self, scheme: str) -> None:
        super().__init__(filesystem(scheme))
        self._scheme = scheme

    def __reduce__(self) -> tuple[Any, ...]:
        """See `pickle`."""
        return StoreHandler, (self._scheme,)


def arrow_filesystem(scheme: str) -> fs.PyFileSystem:
    """Returns the filesystem of Arrow of a kind of store; its paths are `StorePath.address`."""
    return fs.PyFileSystem(StoreHandler(scheme))
