"""Lines of a file, one at a time, in bounded memory, from plain and gzip files."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from lstmlm.errors import UserError

_BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_SKIP_BYTES = 1 << 16


@dataclasses.dataclass(frozen=True, slots=True)
class RawLine:
    """One line of a file.

    Attributes:
        number: Counted from 1.
        data: Its bytes without the line end; empty where there is a problem.
        problem: Why it cannot be used, or empty.
    """

    number: int
    data: bytes
    problem: str = ""


def raw_lines(path: Path, limit: int, *, zipped: bool) -> Iterator[RawLine]:
    """Yields the lines of a file, without a byte order mark.

    A line over the limit is skipped without being held in memory. Where a gzip file ends early or is damaged, the
    lines before the damage are yielded, then one line with the problem.

    Args:
        path: The file.
        limit: Bytes a line may have, without its end.
        zipped: Whether the file is compressed with gzip.

    Raises:
        UserError: The file cannot be opened, or is not gzip at all.
    """
    with _open(path, zipped) as stream:
        number = 0
        while True:
            number += 1
            try:
                line = _read_line(stream, limit, number)
            except EOFError:
                line = RawLine(number, b"", "gzip ends early")
            except (zlib.error, gzip.BadGzipFile) as error:
                line = RawLine(number, b"", f"gzip is damaged: {error}")
            if line is None:
                return
            yield line
            if line.problem.startswith("gzip"):
                return


def _read_line(stream: BinaryIO, limit: int, number: int) -> RawLine | None:
    allowed = limit + 2 + (len(_BOM) if number == 1 else 0)  # room for \r\n
    data = stream.readline(allowed)
    if not data:
        return None
    rest = data
    while rest and not rest.endswith(b"\n"):
        rest = stream.readline(_SKIP_BYTES)
    text = data.removesuffix(b"\n").removesuffix(b"\r")
    if number == 1:
        text = text.removeprefix(_BOM)
    if len(text) > limit:
        return RawLine(number, b"", f"longer than {limit} bytes")
    return RawLine(number, text)


@contextlib.contextmanager
def _open(path: Path, zipped: bool) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as plain:
            if not zipped:
                yield plain
                return
            if plain.read(2) != _GZIP_MAGIC:
                raise UserError("not a gzip file", where=str(path), cure="Compress it with gzip, or drop the .gz")
            plain.seek(0)
            with gzip.GzipFile(fileobj=plain) as stream:
                yield cast(BinaryIO, stream)
    except (EOFError, gzip.BadGzipFile):
        raise
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), cure="Check the file") from error
