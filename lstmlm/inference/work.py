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
from lstmlm.inference.counting import Counted
from lstmlm.inference.job import Place
from lstmlm.inference.outputs import Format
from lstmlm.inference.pieces import Piece, write_pieces
from lstmlm.inference.requests import Dead, Source
from lstmlm.locks import LOCK, locked
from lstmlm.publish import replacing

PLAN = "job.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """A job that is planned, and may be done in part.

    Attributes:
        place: Where its pieces lie.
        pieces: All of them, in the order of the input.
        counted: What the input holds.
        kept: Pieces that were done when the folder was opened.
    """

    place: Place
    pieces: list[Piece]
    counted: Counted
    kept: frozenset[int]

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


def plan(folder: Path, source: Source, counted: Counted, shards: int, stamp: str, place: Place) -> None:
    """Cuts the source into pieces; the plan is written last, so a job that has one has all of them."""
    place.inputs.mkdir()
    place.done.mkdir()
    pieces = write_pieces(source, counted.total, shards, place.inputs)
    first = counted.first_dead
    content = {
        "stamp": stamp,
        "total": counted.total,
        "dead": counted.dead,
        "first_dead": None if first is None else dataclasses.asdict(first),
        "pieces": [(piece.shard, piece.records) for piece in pieces],
    }
    with replacing(folder / PLAN) as stream:
        stream.write(orjson.dumps(content))


def is_planned(folder: Path) -> bool:
    """Says whether the job of a work folder was cut into pieces."""
    return (folder / PLAN).is_file()


def opened(folder: Path, place: Place) -> Work:
    """Returns the job of a work folder that is planned."""
    content = _plan(folder)
    assert content is not None
    pieces = [Piece(number, *values) for number, values in enumerate(content["pieces"])]
    first = content["first_dead"]
    counted = Counted(content["total"], content["dead"], None if first is None else Dead(**first))
    work = Work(place, pieces, counted, frozenset())
    return dataclasses.replace(work, kept=frozenset(work.done()))


def place_in(folder: Path, task: str, format: Format) -> Place:
    """Returns where things lie in a work folder."""
    return Place(folder / "pieces", folder / "done", task, format)


def _plan(folder: Path) -> dict[str, Any] | None:
    path = folder / PLAN
    if not path.is_file():
        return None
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
