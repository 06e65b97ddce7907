"""Splits the input of a job into chunks of consecutive records, each a file that any worker can read.

A chunk is what is decoded at once, what is lost with a worker at most, and what a resumed job keeps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import orjson

from lstmlm.formats import json_bytes
from lstmlm.inference.input.requests import Dead, Request, Source
from lstmlm.publish.folder import replacing

LEAST, MOST = 256, 4096
"""Inputs of a chunk. Many, because the engine's slots run empty at the end of each; few, to spread them."""

CHUNKS = 32
"""About how many chunks a job of middling size is cut into."""

CHARACTERS = 1 << 20
"""Characters of a chunk, about: bounds the memory of long texts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive inputs that go to one output file.

    Attributes:
        number: Place among the chunks, counted from 0.
        shard: The output file.
        records: Inputs, dead letters among them.
    """

    number: int
    shard: int
    records: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChunkContent:
    """What a chunk holds, requests and dead letters each in the order of the input."""

    chunk: Chunk
    requests: list[Request]
    dead: list[Dead]

    def __len__(self) -> int:
        """Returns the number of requests: RunInference counts them."""
        return len(self.requests)


def chunk_size(total: int) -> int:
    """Returns how many inputs a chunk of a job of `total` has at most."""
    return max(LEAST, min(MOST, total // CHUNKS))


def write_chunks(source: Source, total: int, shards: int, folder: Path) -> list[Chunk]:
    """Cuts a source into chunks and writes each to a file.

    Args:
        source: What to decode.
        total: Its number of inputs.
        shards: Output files; each gets consecutive inputs, and no chunk is divided between two.
        folder: Where the files go.
    """
    chunks: list[Chunk] = []
    size = chunk_size(total)
    items: list[Request | Dead] = []
    characters, shard = 0, 0

    def close() -> None:
        nonlocal items, characters
        if items:
            chunk = Chunk(len(chunks), shard, len(items))
            with replacing(chunk_path(folder, chunk.number)) as stream:
                stream.writelines(map(_line, items))
            chunks.append(chunk)
        items, characters = [], 0

    for item in source.items():
        belongs = item.index * shards // total
        if belongs != shard or len(items) == size or characters >= CHARACTERS:
            close()
            shard = belongs
        items.append(item)
        characters += _size(item)
    close()
    return chunks


def _size(item: Request | Dead) -> int:
    """Returns the characters of a request, about."""
    if isinstance(item, Dead):
        return 0
    values = (*item.fields.values(), *item.extra.values())
    return sum(len(value) for value in values if isinstance(value, str | list | tuple | bytes))


def read_chunk(folder: Path, chunk: Chunk) -> ChunkContent:
    """Reads what `write_chunks` wrote."""
    content = ChunkContent(chunk, [], [])
    for item in _items(chunk_path(folder, chunk.number)):
        if isinstance(item, Dead):
            content.dead.append(item)
        else:
            content.requests.append(item)
    return content


def chunk_path(folder: Path, number: int) -> Path:
    """Returns the path of a chunk."""
    return folder / f"{number:06d}.jsonl"


_REQUEST = [field.name for field in dataclasses.fields(Request)]
_DEAD = [field.name for field in dataclasses.fields(Dead)]
_PACKED = b"packed "
"""Begins a line in the slower form that also holds bytes, and whole numbers beyond 64 bits."""


def _line(item: Request | Dead) -> bytes:
    kind, names = ("dead", _DEAD) if isinstance(item, Dead) else ("request", _REQUEST)
    values = [kind, *(getattr(item, name) for name in names)]
    try:
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _PACKED + json_bytes.dumps(values) + b"\n"


def _items(path: Path) -> Iterator[Request | Dead]:
    with path.open("rb") as stream:
        for line in stream:
            if line.startswith(_PACKED):
                kind, *values = json_bytes.loads(line.removeprefix(_PACKED))
            else:
                kind, *values = orjson.loads(line)
            yield Dead(*values) if kind == "dead" else Request(*values)
