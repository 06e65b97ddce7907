"""Opens local files, objects of a store (`gs://`, `s3://`), and other remote files through the filesystems of Beam.

Where Beam's own options name a store, as `--beam-option s3_endpoint_url=...` does, Beam's filesystems read it too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from lstmlm.errors import UserError
from lstmlm.storage import StorePath, place
from lstmlm.storage.clients import check_answers
from lstmlm.storage.ranges import Ranges

CHUNK_BYTES = 1 << 18
_RANGE_BYTES, _RANGES = 4 << 20, 3
"""Bytes of a store that are asked for at a time, and how often before the first of them are used."""
_STORE_OPTIONS = ("s3_", "gcs_", "gcp_")


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


def use_store_options(flags: Sequence[str]) -> None:
    """Takes the options of the stores, such as `--s3_endpoint_url=...`, from Beam's flags, for this process too."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(flags)))


def file_systems(path: str) -> Any:
    """Returns Beam's `FileSystems`, ready for use outside of a pipeline too.

    Keys, region and endpoint come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), as the clients
    of the stores read it, unless options were set.

    Args:
        path: The place that will be read.

    Raises:
        UserError: Nothing answers at the endpoint that the environment names.
    """
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    if FileSystems._pipeline_options is None:  # Beam sets it in a pipeline's workers only, and S3 fails without
        FileSystems.set_options(PipelineOptions([]))
    check_answers(path.partition("://")[0])
    return FileSystems


def _stored(path: str) -> StorePath | None:
    """Returns an object of a store; None: a local file, or one that Beam has to read."""
    found = place(path)
    if not isinstance(found, StorePath) or str(found) != path:  # such as a key with `//` in it
        return None
    from apache_beam.io.filesystems import FileSystems

    options = FileSystems._pipeline_options
    given = options.get_all_options(drop_default=True) if options is not None else {}
    return None if any(name.startswith(_STORE_OPTIONS) for name in given) else found


def _open_remote(path: str) -> BinaryIO:
    stored = _stored(path)
    if stored is not None:
        try:
            return cast(BinaryIO, stored.open("rb"))
        except FileNotFoundError as error:
            raise cannot_reach(path, error) from error
    from apache_beam.io.filesystem import CompressionTypes

    try:
        return cast(BinaryIO, file_systems(path).open(path, compression_type=CompressionTypes.UNCOMPRESSED))
    except UserError:
        raise
    except Exception as error:  # every store raises its own kinds
        raise cannot_reach(path, error) from error


def cannot_read(path: str, error: OSError) -> UserError:
    """Returns the error of a local file that the system refuses."""
    return UserError(f"cannot be read: {error.strerror}", where=path, hint="Check that it exists, and its permissions")


def cannot_reach(path: str, error: Exception) -> UserError:
    """Returns the error of a remote place that Beam's filesystems refuse."""
    scheme = path.partition("://")[0]
    extra = {"gs": ", and install lstmlm[gcs]", "s3": ", and install lstmlm[s3]"}.get(scheme, "")
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"cannot be reached: {reason}", where=path, hint=f"Check address and credentials{extra}")


def _read_stored(path: StorePath, start: int, end: int) -> Iterator[bytes]:
    """As `read_bytes`, of an object; what comes next is on its way meanwhile, and nothing behind the end."""
    ranges, asked = Ranges(block=0), start
    try:
        while start < end:
            while asked < min(end, start + _RANGES * _RANGE_BYTES):
                ranges.ahead(path, asked, min(_RANGE_BYTES, end - asked))
                asked += _RANGE_BYTES
            data = ranges.read(path, start, min(_RANGE_BYTES, end - start))
            if not data:
                raise _shorter(str(path))
            start += len(data)
            yield from (data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES))
    finally:
        ranges.close()


def _shorter(path: str) -> UserError:
    hint = "Let nothing write to the corpus while it is read, and run the stage again"
    return UserError("became shorter while it was read", where=path, hint=hint)


def read_bytes(path: str, start: int, end: int) -> Iterator[bytes]:
    """Yields the bytes `start` up to `end` of a file in chunks of `CHUNK_BYTES`, holding one at a time.

    Raises:
        UserError: The file cannot be read, or ends before `end`: it changed since it was listed.
    """
    stored = _stored(path)
    if stored is not None:
        try:
            yield from _read_stored(stored, start, end)
        except FileNotFoundError as error:
            raise cannot_reach(path, error) from error
        return
    with open_bytes(path) as stream:
        try:
            if start:
                stream.seek(start)
            while start < end:
                chunk = stream.read(min(CHUNK_BYTES, end - start))
                if not chunk:
                    raise _shorter(path)
                start += len(chunk)
                yield chunk
        except OSError as error:
            if is_remote(path):
                raise  # the network's fault, and worth another try
            raise cannot_read(path, error) from error
