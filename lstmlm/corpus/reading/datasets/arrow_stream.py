"""Arrow files as `datasets` saves them, read batch by batch as a parquet file is by row groups."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import IO, Any

from lstmlm.formats.arrow import pa

_FILE_MAGIC = b"ARROW1"


class ArrowTable:
    """A file in Arrow's stream or file format.

    Args:
        stream: It, open and seekable.
    """

    def __init__(self, stream: IO[bytes] | io.RawIOBase) -> None:
        self._stream = stream
        stream.seek(0)
        self._random = stream.read(len(_FILE_MAGIC)) == _FILE_MAGIC  # a stream of Arrow begins otherwise
        self.schema_arrow = self._reader().schema

    def _reader(self) -> Any:
        self._stream.seek(0)
        source = pa.PythonFile(self._stream, mode="r")
        return pa.ipc.open_file(source) if self._random else pa.ipc.open_stream(source)

    def _from(self, group: int) -> Iterator[Any]:
        """Yields the batches from one on; a stream has no index, so those before it are read too."""
        reader = self._reader()
        if self._random:
            yield from (reader.get_batch(place) for place in range(group, reader.num_record_batches))
            return
        for place, batch in enumerate(reader):
            if place >= group:
                yield batch

    def groups(self) -> list[tuple[int, int]]:
        """Returns rows and bytes of the batches."""
        return [(batch.num_rows, batch.nbytes) for batch in self._from(0)]

    def iter_batches(
        self, batch_size: int, row_groups: Sequence[int], columns: Sequence[str], use_threads: bool = False
    ) -> Iterator[Any]:
        """Yields the rows of one batch, as `pyarrow.parquet.ParquetFile.iter_batches` does those of a row group."""
        (group,) = row_groups
        batch = next(self._from(group))
        names = list(dict.fromkeys(_outer(name, batch.schema.names) for name in columns))
        kept = batch.select(names)
        for start in range(0, kept.num_rows, batch_size):
            yield kept.slice(start, batch_size)


def _outer(name: str, names: Sequence[str]) -> str:
    return name if name in names else name.partition(".")[0]
