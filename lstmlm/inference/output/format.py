"""Formats of output files, and how one is found by the name that a recipe gives it in `inference.format`.

Each chunk of a job is written to a part, by any worker; the parts of a shard are joined at the end, in their order.
Light to import: a recipe is checked with it. What writes is imported where it is used.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lstmlm.formats import json_bytes
from lstmlm.plugins import Registry
from lstmlm.publish.folder import replacing

if TYPE_CHECKING:
    from lstmlm.task import OutputColumn

Row = Mapping[str, Any]
"""An output: the columns of the task, and those that are passed on from the input. It may lack a column."""


class OutputFormat(abc.ABC):
    """A kind of output files.

    One whose files are written row by row starts from `RowFormat`.

    Attributes:
        extension: What the names of its files end in, without the point.
        streams: Whether its files, one after the other, may go to standard output.
        version: Part of the fingerprint of the outputs, for formats of other packages.
    """

    extension: ClassVar[str]
    streams: ClassVar[bool] = False
    version: ClassVar[str] = "1"

    @abc.abstractmethod
    def write_part(self, path: Path, rows: Sequence[Row]) -> None:
        """Writes the outputs of a chunk, one at least.

        The file must appear whole (`lstmlm.publish.folder.replacing`): two workers may write the same part.
        """

    def common(self, parts: Iterable[Path], schema: Mapping[str, OutputColumn]) -> Any:
        """Returns what all files of a job have in common, such as their columns; None where that is nothing.

        Args:
            parts: The parts of all shards.
            schema: The columns of the task, in their order.
        """
        return None

    @abc.abstractmethod
    def join(self, parts: Sequence[Path], path: Path, common: Any) -> int:
        """Joins the parts of a shard.

        Args:
            parts: The parts, in order; there may be none.
            path: The shard.
            common: What `common` returned.

        Returns:
            The rows of the shard, counted in its file.
        """

    @abc.abstractmethod
    def read(self, path: Path) -> Iterator[dict[str, Any]]:
        """Yields the rows of a shard."""


class RowFormat(OutputFormat):
    """A kind of files that are written row by row, when all columns are known. Parts are files of this module's."""

    @abc.abstractmethod
    def write(self, path: Path, rows: Iterable[Row], columns: Sequence[str]) -> None:
        """Writes a shard.

        Args:
            path: The file.
            rows: Its rows, in order; there may be none.
            columns: The columns of all shards: those of the task first. A row may lack one.
        """

    def write_part(self, path: Path, rows: Sequence[Row]) -> None:
        """See `OutputFormat`: a line of all columns, then a line per row."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        with replacing(path) as stream:
            stream.writelines(json_bytes.dumps(value) + b"\n" for value in (names, *map(dict, rows)))

    def common(self, parts: Iterable[Path], schema: Mapping[str, OutputColumn]) -> list[str]:
        """See `OutputFormat`: the columns. One that the task may leave out is among them where a row has it."""
        found = dict.fromkeys(name for part in parts for name in next(_values(part)))
        ours = [name for name, column in schema.items() if column.always or name in found]
        return list(dict.fromkeys([*ours, *found]))

    def join(self, parts: Sequence[Path], path: Path, common: Any) -> int:
        """See `OutputFormat`."""
        self.write(path, (row for part in parts for row in _rows(part)), common)
        return sum(1 for _ in self.read(path))


def _values(part: Path) -> Iterator[Any]:
    with part.open("rb") as stream:
        yield from map(json_bytes.loads, stream)


def _rows(part: Path) -> Iterator[Row]:
    values = _values(part)
    next(values)
    return values


FORMATS = Registry(
    "lstmlm.outputs",
    OutputFormat,  # type: ignore[type-abstract]
    "FORMAT",
    "lstmlm.inference.output.formats",
)


def output_format(name: str) -> OutputFormat:
    """Returns the format that a recipe names in `inference.format`; see `Registry.load`."""
    return FORMATS.load(name)


def shard_name(shard: int, shards: int, format: OutputFormat) -> str:
    """Returns the file name of a shard."""
    return f"predictions-{shard:05d}-of-{shards:05d}.{format.extension}"
