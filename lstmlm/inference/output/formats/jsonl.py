"""Outputs as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.inference.output.format import OutputFormat, Row
from lstmlm.inference.output.lines import json_line
from lstmlm.publish.folder import replacing
from lstmlm.records.shards import concatenate


class JsonLines(OutputFormat):
    """An object per line; bytes are base64 in it."""

    extension = "jsonl"
    streams = True

    def write_part(self, path: Path, rows: Sequence[Row]) -> None:
        """See `OutputFormat`."""
        with replacing(path) as stream:
            stream.writelines(f"{json_line(row)}\n".encode() for row in rows)

    def join(self, parts: Sequence[Path], path: Path, common: Any) -> int:
        """See `OutputFormat`."""
        concatenate(parts, path)
        with path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))

    def read(self, path: Path) -> Iterator[dict[str, Any]]:
        """See `OutputFormat`."""
        with path.open(encoding="utf-8", newline="\n") as stream:
            yield from map(json.loads, stream)


FORMAT = JsonLines()
