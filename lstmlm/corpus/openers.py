"""Bytes of local files and of remote ones, which Beam's filesystems open (`gs://`, `s3://`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from lstmlm.errors import UserError

CHUNK_BYTES = 1 << 18


def is_remote(place: str) -> bool:
    """Says whether a place is a URL that Beam opens, not a local path."""
    return "://" in place


@contextlib.contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Opens a local path or a URL for reading, unbuffered and never decompressed; seeking works.

    Raises:
        UserError: It is gone, may not be read, or its kind of URL is not supported here.
    """
    with _open_remote(path) if is_remote(path) else _open_local(path) as stream:
        yield stream


def _open_local(path: str) -> BinaryIO:
    try:
        return cast(BinaryIO, open(path, "rb", buffering=0))
    except OSError as error:
        raise cannot_read(path, error) from error


def _open_remote(path: str) -> BinaryIO:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        return cast(BinaryIO, FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))
    except Exception as error:  # every store raises its own kinds
        raise cannot_reach(path, error) from error


def cannot_read(path: str, error: OSError) -> UserError:
    """Returns the error of a local file that the system refuses."""
    return UserError(
        f"cannot be read: {error.strerror}", where=path, cure="Check that it is there, and its permissions"
    )


def cannot_reach(path: str, error: Exception) -> UserError:
    """Returns the error of a remote place that Beam's filesystems refuse."""
    scheme = path.partition("://")[0]
    extra = {"gs": ", and install lstmlm[gcs]", "s3": ", and install lstmlm[s3]"}.get(scheme, "")
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"cannot be reached: {reason}", where=path, cure=f"Check address and credentials{extra}")


def read_bytes(path: str, start: int, end: int) -> Iterator[bytes]:
    """Yields the bytes `start` up to `end` of a file in chunks of `CHUNK_BYTES`, holding one at a time.

    Raises:
        UserError: The file cannot be read, or ends before `end`: it changed since it was listed.
    """
    with open_bytes(path) as stream:
        try:
            if start:
                stream.seek(start)
            while start < end:
                chunk = stream.read(min(CHUNK_BYTES, end - start))
                if not chunk:
                    cure = "Let nothing write to the corpus while it is read, and run the stage again"
                    raise UserError("became shorter while it was read", where=path, cure=cure)
                start += len(chunk)
                yield chunk
        except OSError as error:
            if is_remote(path):
                raise  # the network's fault, and worth another try
            raise cannot_read(path, error) from error
