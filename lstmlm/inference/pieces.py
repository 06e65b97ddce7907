"""The pieces that a job is cut into: consecutive inputs, each piece a file that any worker can read by itself.

A piece is what is decoded at once, what is lost with a worker at most, and what a resumed job keeps.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import orjson

from lstmlm.inference.input.requests import Dead, Request, Source
from lstmlm.publish.folder import replacing

LEAST, MOST = 256, 4096
"""Inputs of a piece. Many, because the engine's slots run empty at the end of each; few, to spread them."""

PIECES = 32
"""About how many pieces a job of middling size is cut into."""

CHARACTERS = 1 << 20
"""Characters of a piece, about: bounds the memory of long texts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive inputs that go to one output file.

    Attributes:
        number: Place among the pieces, counted from 0.
        shard: The output file.
        records: Inputs, dead letters among them.
    """

    number: int
    shard: int
    records: int


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """What a piece holds, requests and dead letters each in the order of the input."""

    piece: Piece
    requests: list[Request]
    dead: list[Dead]

    def __len__(self) -> int:
        """Returns the number of requests: RunInference counts them."""
        return len(self.requests)


def piece_size(total: int) -> int:
    """Returns how many inputs a piece of a job of `total` has at most."""
    return max(LEAST, min(MOST, total // PIECES))


def write_pieces(source: Source, total: int, shards: int, folder: Path) -> list[Piece]:
    """Cuts a source into pieces and writes each to a file.

    Args:
        source: What to decode.
        total: Its number of inputs.
        shards: Output files; each gets consecutive inputs, and no piece is divided between two.
        folder: Where the files go.
    """
    pieces: list[Piece] = []
    size = piece_size(total)
    items: list[Request | Dead] = []
    characters, shard = 0, 0

    def close() -> None:
        nonlocal items, characters
        if items:
            piece = Piece(len(pieces), shard, len(items))
            with replacing(piece_path(folder, piece.number)) as stream:
                stream.writelines(map(_line, items))
            pieces.append(piece)
        items, characters = [], 0

    for item in source.items():
        belongs = item.index * shards // total
        if belongs != shard or len(items) == size or characters >= CHARACTERS:
            close()
            shard = belongs
        items.append(item)
        characters += _size(item)
    close()
    return pieces


def _size(item: Request | Dead) -> int:
    """Returns the characters of a request, about."""
    if isinstance(item, Dead):
        return 0
    return len(item.text) + sum(len(value) for value in item.extra.values() if isinstance(value, str | list))


def read_piece(folder: Path, piece: Piece) -> Content:
    """Reads what `write_pieces` wrote."""
    content = Content(piece, [], [])
    for item in _items(piece_path(folder, piece.number)):
        if isinstance(item, Dead):
            content.dead.append(item)
        else:
            content.requests.append(item)
    return content


def piece_path(folder: Path, number: int) -> Path:
    """Returns the path of a piece."""
    return folder / f"{number:06d}.jsonl"


_REQUEST = [field.name for field in dataclasses.fields(Request)]
_EXACT = "exact "
_DEAD = [field.name for field in dataclasses.fields(Dead)]


def _line(item: Request | Dead) -> bytes:
    kind, names = ("dead", _DEAD) if isinstance(item, Dead) else ("request", _REQUEST)
    values = [kind, *(getattr(item, name) for name in names)]
    try:
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # orjson has no whole numbers beyond 64 bits
        return json.dumps([f"{_EXACT}{kind}", *values[1:]]).encode() + b"\n"


def _items(path: Path) -> Iterator[Request | Dead]:
    with path.open("rb") as stream:
        for line in stream:
            kind, *values = orjson.loads(line)
            if kind.startswith(_EXACT):
                kind, *values = json.loads(line)
                kind = kind.removeprefix(_EXACT)
            yield Dead(*values) if kind == "dead" else Request(*values)
