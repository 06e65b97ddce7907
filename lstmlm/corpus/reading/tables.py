"""Rows of parquet and Arrow files.

They are read in a child process: a damaged or hostile one costs its rows, not the job.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from lstmlm.corpus.reading.openers import is_remote, open_bytes
from lstmlm.corpus.reading.rows import Row, check_columns, not_utf8
from lstmlm.errors import UserError
from lstmlm.processes.child import Child, ChildDied, Children

ARROW = ".arrow"
RUNS_CODE = "holds Python objects, whose reading would run code"
"""Why a file is refused."""
_READERS = Children("lstmlm.corpus.reading.parquet_child")
_FEW_ROWS = 1000
_CRASHES = 4  # of one range; then the rest of it is given up
_EXPANDED_BYTES = 1_000_000_000


def row_groups(path: str, range_bytes: int) -> list[tuple[int, int]]:
    """Returns runs of row groups of about `range_bytes` expanded bytes (one group at least): (groups, rows) of each.

    Raises:
        UserError: The file cannot be read, or is no parquet file.
    """
    with _reading(path) as (stream, place), _damage_reported(path), _READERS.child() as child:
        child.busy = True
        child.send(json.dumps(place).encode())
        found = _answer(child, stream, path)["groups"]
        child.busy = False
    runs: list[tuple[int, int]] = []
    size = range_bytes
    for rows, expanded in found:
        if size + expanded > range_bytes:
            runs.append((0, 0))
            size = 0
        runs[-1] = (runs[-1][0] + 1, runs[-1][1] + rows)
        size += expanded
    return runs


def table_rows(
    path: str,
    start: int,
    end: int,
    first_row: int,
    limit: int,
    needed: Sequence[str],
    max_expansion: int = 1000,
    *,
    others: bool = False,
) -> Iterator[Row]:
    """Yields the rows of some row groups. Text, numbers and lists of text are values; others make a row dead.

    What is damaged costs the rest of its row group: each of its rows is dead.

    Args:
        path: The file, local or a URL.
        start: First row group.
        end: Row group after the last.
        first_row: Number of the first row, counted from 1.
        limit: Bytes of text a row may have.
        needed: Columns to read, or fields of columns of structs (`translation.en`); none: all columns with values.
        max_expansion: The text may be larger than the file by this factor, or 1 GB.
        others: Read the other columns too; what is neither text nor numbers becomes text.

    Raises:
        UserError: The file cannot be read, is damaged beyond knowing its rows, lacks a needed column, or expands to
            more than is allowed.
    """
    with _reading(path) as (stream, place):
        wanted = {**place, "end": end, "needed": list(dict.fromkeys(needed)), "limit": limit, "others": others}
        yield from _Groups(path, stream, wanted, start, first_row, max_expansion).rows()


class _Groups:
    """The state of reading a range of row groups, through as many children as it takes.

    Args:
        path: The file.
        stream: It, open.
        wanted: The request, but for where to begin.
        start: First row group.
        first_row: Number of its first row.
        max_expansion: See `table_rows`.
    """

    def __init__(
        self, path: str, stream: BinaryIO, wanted: dict[str, Any], start: int, first_row: int, max_expansion: int
    ) -> None:
        self._path, self._stream, self._wanted = path, stream, wanted
        self._group, self._number = start, first_row
        self._done = 0  # rows of the group that were read
        self._left: list[int] = []  # rows of this group and of those behind it
        self._bytes = 0
        self._most_bytes = max(_EXPANDED_BYTES, max_expansion * wanted["size"])
        self._crashes: list[tuple[int, int]] = []

    def rows(self) -> Iterator[Row]:
        while self._group < self._wanted["end"]:
            try:
                with _READERS.child() as child:
                    yield from self._read(child)
            except ChildDied as death:
                yield from self._survive(death)

    def _read(self, child: Child) -> Iterator[Row]:
        child.busy = True
        child.send(json.dumps({**self._wanted, "start": self._group, "skip": self._done}).encode())
        found = _answer(child, self._stream, self._path)
        self._left = found["rows"]
        child.busy = not found["ends"]
        missing, needed = found["missing"], self._wanted["needed"]
        check_columns(found["names"], [name for name in needed if name in missing], self._path)
        if found["foreign"] is not None:
            reason = "column {!r} holds neither text nor numbers: {}".format(*found["foreign"])
            while self._group < self._wanted["end"]:
                yield from self._give_up(reason)
            return
        while self._group < self._wanted["end"]:
            answer = _answer(child, self._stream, self._path)
            if "batch" in answer:
                yield from self._batch(child.receive(), found["columns"])
            else:
                child.busy = self._group + 1 < self._wanted["end"]
                yield from self._give_up(_damaged(answer["error"] or "a row group ends too early", self._path))

    def _batch(self, data: bytes, columns: Sequence[str]) -> Iterator[Row]:
        from lstmlm.formats.arrow import pa

        with pa.ipc.open_stream(data) as reader:
            batch = reader.read_next_batch()
        sizes = batch.column(len(columns)).to_numpy().tolist()
        self._bytes += sum(sizes)
        if self._bytes > self._most_bytes:
            what = f"its text is larger than the file by more than the allowed factor (over {self._most_bytes} bytes)"
            raise UserError(what, where=self._path, hint="If it is right, raise corpus.max_expansion")
        values = [_values(batch.column(place)) for place in range(len(columns))]
        limit = self._wanted["limit"]
        for size, *row in zip(sizes, *values, strict=True):
            yield _row(self._number, size, dict(zip(columns, row, strict=True)), limit)
            self._number += 1
            self._done += 1

    def _survive(self, death: ChildDied) -> Iterator[Row]:
        """Yields the rows that are lost with a child; none where another may read them."""
        if not self._left:
            raise _damage(self._path, str(death)) from death
        place = (self._group, self._done)
        self._crashes.append(place)
        if death.again and self._crashes.count(place) < 2:
            return
        reason = _damaged(str(death), self._path)
        yield from self._give_up(reason)
        while len(self._crashes) >= _CRASHES and self._group < self._wanted["end"]:
            yield from self._give_up(reason)

    def _give_up(self, reason: str) -> Iterator[Row]:
        """Yields the rows of this group that were not read as dead ones, and goes to the next."""
        rest = self._left.pop(0) - self._done
        # A damaged count of rows would give dead letters without end.
        if rest > max(_FEW_ROWS, self._wanted["size"]):
            raise _damage(self._path, f"{rest} rows are said to be in {self._wanted['size']} bytes, and are not")
        self._group, self._done = self._group + 1, 0
        for _ in range(rest):
            yield Row(self._number, 0, dead=reason)
            self._number += 1


@contextlib.contextmanager
def _reading(path: str) -> Iterator[tuple[BinaryIO, dict[str, Any]]]:
    """Opens a file; yields it, and how a child finds it: by its path, or by asking for pieces of what is remote."""
    with open_bytes(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        local = None if is_remote(path) else os.path.abspath(path)
        yield stream, {"path": local, "size": size, "arrow": _is_arrow(path)}


def _answer(child: Child, stream: BinaryIO, path: str) -> dict[str, Any]:
    """Returns the next answer of a child, having given it the bytes it asks for.

    Raises:
        UserError: The child cannot read the file.
        ChildDied: There is no answer.
    """
    while True:
        answer: dict[str, Any] = json.loads(child.receive())
        if "read" not in answer:
            break
        start, size = answer["read"]
        stream.seek(start)
        child.send(stream.read(size))
    if "error" in answer and "group" not in answer:
        child.busy = False
        raise _damage(path, answer["error"])
    return answer


@contextlib.contextmanager
def _damage_reported(path: str) -> Iterator[None]:
    try:
        yield
    except ChildDied as death:
        raise _damage(path, str(death)) from death


def _damage(path: str, reason: str) -> UserError:
    return UserError(_damaged(reason, path), where=path, hint="Write it again, or leave it out")


def _damaged(reason: str, path: str) -> str:
    kind = "Arrow" if _is_arrow(path) else "parquet"
    return reason if reason == RUNS_CODE else f"a damaged {kind} file, or none: {reason}".rstrip(".")


def _is_arrow(path: str) -> bool:
    return path.lower().endswith(ARROW)


def _values(column: Any) -> list[Any]:
    """Returns the values of a column; text that is not UTF-8 becomes `_NoText`. Of audio, its bytes or its path."""
    from lstmlm.corpus.reading.columns import BYTES, PATH, is_audio, is_bytes, is_text
    from lstmlm.formats.arrow import pa, pc

    if is_bytes(column.type):
        return column.to_pylist()
    if is_audio(column.type):
        data, paths = (pc.struct_field(column, [column.type.get_field_index(name)]) for name in (BYTES, PATH))
        return [given or named for given, named in zip(data.to_pylist(), _values(paths), strict=True)]
    try:
        # Through NumPy: twice as fast as `to_pylist`, which makes an Arrow scalar of each value.
        return column.to_numpy(zero_copy_only=False).tolist() if is_text(column.type) else column.to_pylist()
    except (UnicodeDecodeError, pa.ArrowException):
        kind = pa.large_binary() if is_text(column.type) else pa.large_list(pa.large_binary())
        return [_decoded(value) for value in column.cast(kind).to_pylist()]


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        return _NoText(not_utf8(error))


def _row(number: int, size: int, fields: dict[str, Any], limit: int) -> Row:
    if size > limit:
        return Row(number, size, dead=f"longer than {limit} bytes")
    for value in fields.values():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, _NoText):
                return Row(number, size, dead=text.reason)
    return Row(number, size, fields)


class _NoText(NamedTuple):
    """A value that should be text, and why it is none."""

    reason: str
