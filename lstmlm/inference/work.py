"""The folder a job works in, beside its output: pieces, and what is done of them. It outlives a killed job."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from lstmlm.errors import UserError
from lstmlm.inference.job import Place
from lstmlm.inference.pieces import Piece, write_pieces
from lstmlm.inference.requests import Source
from lstmlm.locks import LOCK, locked
from lstmlm.publish import replacing

PLAN = "job.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """A job that is planned, and may be done in part.

    Attributes:
        place: Where its pieces lie.
        pieces: All of them, in the order of the input.
        total: Inputs, as they were counted before they were cut.
    """

    place: Place
    pieces: list[Piece]
    total: int

    def done(self) -> set[int]:
        """Returns the numbers of the pieces that are done."""
        return {int(path.stem) for path in self.place.done.glob("*.facts")}

    def left(self) -> list[Piece]:
        """Returns the pieces that are not done."""
        done = self.done()
        return [piece for piece in self.pieces if piece.number not in done]

    def facts(self, piece: Piece) -> dict[str, Any]:
        """Returns what became of a piece that is done; see `lstmlm.inference.job.piece_facts`."""
        found: dict[str, Any] = orjson.loads(self.place.facts(piece.number).read_bytes())
        return found


def work_folder(output: Path) -> Path:
    """Returns the folder that a job with this output folder works in."""
    return output.parent / f".{output.name}.work"


@contextlib.contextmanager
def held(output: Path, stamp: str, *, resume: bool) -> Iterator[Path]:
    """Holds the work folder of a job; yields it, with nothing in it that is not of this very job.

    Args:
        output: The output folder.
        stamp: The fingerprint of the job.
        resume: Keep what a stopped job left; without it, what is left is removed.

    Raises:
        UserError: Another process works there, or what is left is of another job and `resume` is set.
    """
    folder = work_folder(output)
    with locked(folder):
        left = _plan(folder)
        if resume and left is not None and left["stamp"] != stamp:
            cure = "Go on with its model, input and recipe, or leave out --resume to start anew"
            raise UserError("what a stopped job left here is of another job", where=str(folder), cure=cure)
        if not resume or left is None:
            _clear(folder)
        try:
            yield folder
        finally:
            if not is_planned(folder):  # nothing in it to go on with
                shutil.rmtree(folder, ignore_errors=True)


def plan(place: Place, source: Source, total: int, shards: int, stamp: str) -> None:
    """Cuts a source of `total` inputs into pieces; the plan is written last, so a job that has one has all of them."""
    place.inputs.mkdir()
    place.done.mkdir()
    pieces = write_pieces(source, total, shards, place.inputs)
    content = {"stamp": stamp, "total": total, "pieces": [(piece.shard, piece.records) for piece in pieces]}
    with replacing(place.folder / PLAN) as stream:
        stream.write(orjson.dumps(content))


def is_planned(folder: Path) -> bool:
    """Says whether the job of a work folder was cut into pieces."""
    return (folder / PLAN).is_file()


def opened(place: Place) -> Work:
    """Returns the job of a work folder that is planned."""
    content = _plan(place.folder)
    assert content is not None
    return Work(place, [Piece(number, *values) for number, values in enumerate(content["pieces"])], content["total"])


def _plan(folder: Path) -> dict[str, Any] | None:
    if not is_planned(folder):
        return None
    found: dict[str, Any] = orjson.loads((folder / PLAN).read_bytes())
    return found


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
