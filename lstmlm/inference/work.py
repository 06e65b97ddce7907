"""The work folder of a job, next to its output: its chunks and their state. It survives a killed job."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from lstmlm.errors import UserError
from lstmlm.inference.chunks import Chunk, chunk_path, write_chunks
from lstmlm.inference.input.requests import Source
from lstmlm.inference.job import CHUNKS, DONE, Place
from lstmlm.inference.output.done import is_whole
from lstmlm.publish.durable import remove_folder, sync_tree
from lstmlm.publish.folder import replacing, sha256_file
from lstmlm.publish.locks import LOCK, locked
from lstmlm.publish.places import PARTIAL, site_of
from lstmlm.storage import StorePath
from lstmlm.storage.many import each

PLAN = "job.json"
_OURS = {PLAN, CHUNKS, DONE, LOCK}

logger = logging.getLogger(__name__)

Count = Annotated[int, Field(ge=0)]


class _Plan(BaseModel):
    """The plan of a job, as its work folder keeps it; every part is checked when it is read.

    Attributes:
        stamp: What decides the outputs.
        total: Inputs.
        chunks: For each chunk its output file and its inputs.
        sha256: For each chunk the sum of its file.
    """

    stamp: str
    total: Count
    chunks: list[tuple[Count, Count]]
    sha256: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """A job that is planned, and may be done in part.

    Attributes:
        place: The folder of its chunks.
        chunks: All of them, in the order of the input.
        total: Inputs, as they were counted before they were cut.
    """

    place: Place
    chunks: list[Chunk]
    total: int

    def done(self) -> set[int]:
        """Returns the numbers of the chunks that are done."""
        return {int(path.stem) for path in self.place.done.glob("*.facts")}

    def left(self) -> list[Chunk]:
        """Returns the chunks that are not done."""
        done = self.done()
        return [chunk for chunk in self.chunks if chunk.number not in done]

    def all_facts(self) -> list[dict[str, Any]]:
        """Returns what became of each chunk, when all are done; see `lstmlm.inference.job.chunk_facts`."""
        return [orjson.loads(data) for data in each(Path.read_bytes, (self.place.facts(c.number) for c in self.chunks))]

    def facts(self, chunk: Chunk) -> dict[str, Any]:
        """Returns what became of a chunk that is done; see `lstmlm.inference.job.chunk_facts`."""
        found: dict[str, Any] = orjson.loads(self.place.facts(chunk.number).read_bytes())
        return found


def work_folder(output: Path) -> Path:
    """Returns the folder that a job with this output folder works in."""
    return site_of(output).hidden("work")


@contextlib.contextmanager
def held(output: Path, stamp: str, *, resume: bool = False) -> Iterator[Path]:
    """Holds the work folder of a job; yields it, with nothing in it that is not of this very job.

    What a stopped job left is kept where it is of the same job. What another job left is reported and removed.

    Args:
        output: The output folder.
        stamp: The fingerprint of the job.
        resume: Refuse to remove what another job left.

    Raises:
        UserError: Another process works there, what is left is of another job and `resume` is set, or files are there
            that no job writes.
    """
    work = work_folder(output)
    with locked(work) as lease:
        folder = work
        if isinstance(work, StorePath):
            # One folder per job: a process that was taken over may still write into the one of its job.
            folder = work / stamp[:16]
            for other in [path for path in work.iterdir() if path.name not in (LOCK, folder.name)]:
                _settle(other, stamp, resume)
        _settle(folder, stamp, resume)
        try:
            yield folder
        finally:
            if not is_planned(folder) and (lease is None or lease.is_held()):  # nothing in it to resume
                with contextlib.suppress(OSError):
                    remove_folder(folder)


def _settle(folder: Path, stamp: str, resume: bool) -> None:
    """Keeps what is left of the same job, and removes what is left of another; see `held`."""
    left = _plan(folder)
    if left is not None and left.stamp == stamp:
        _report(folder, left, "kept: this job resumes")
        if not isinstance(folder, StorePath):
            os.utime(folder / PLAN)  # the age of the plan is the time since the job was last started
        return
    if resume and left is not None:
        hint = "Use its model, input and recipe to resume it, or leave out --resume to start again"
        raise UserError("the unfinished work here is of another job", where=str(folder), hint=hint)
    if left is not None:
        _report(folder, left, "of a job with another model, input or recipe: removed")
    _clear(folder)


def plan(place: Place, source: Source, total: int, shards: int, stamp: str) -> None:
    """Cuts a source of `total` inputs into chunks; the plan is written last, so a job that has one has all of them."""
    place.inputs.mkdir()
    place.done.mkdir()
    chunks = write_chunks(source, total, shards, place.inputs)
    sync_tree(place.folder)
    content = _Plan(
        stamp=stamp,
        total=total,
        chunks=[(chunk.shard, chunk.records) for chunk in chunks],
        sha256=each(sha256_file, (chunk_path(place.inputs, chunk.number) for chunk in chunks)),
    )
    with replacing(place.folder / PLAN, durable=True) as stream:
        stream.write(content.model_dump_json().encode())


def is_planned(folder: Path) -> bool:
    """Says whether the job of a work folder was cut into chunks."""
    return _plan(folder) is not None


def opened(place: Place) -> Work:
    """Returns the job of a work folder that is planned; of the chunks that are done, those that are damaged are not.

    Raises:
        UserError: An input of what is left is damaged.
    """
    content = _plan(place.folder)
    assert content is not None
    chunks = [Chunk(number, *values) for number, values in enumerate(content.chunks)]
    work = Work(place, chunks, content.total)
    for number in sorted(work.done()):
        if not is_whole(place.part(number), place.facts(number)):
            logger.warning("%s: damaged, its chunk is decoded again", place.facts(number))
            place.facts(number).unlink()
    for chunk in work.left():
        path = chunk_path(place.inputs, chunk.number)
        if not path.is_file() or sha256_file(path) != content.sha256[chunk.number]:
            hint = f"Remove the folder {place.folder} and run again"
            raise UserError("the unfinished work here is damaged", where=str(path), hint=hint)
    return work


def _plan(folder: Path) -> _Plan | None:
    """Reads the plan of a work folder; None where there is none, or none that is whole."""
    try:
        found = _Plan.model_validate_json((folder / PLAN).read_bytes())
        if len(found.chunks) == len(found.sha256):
            return found
    except FileNotFoundError:
        return None
    except ValidationError:
        pass
    logger.warning("%s: damaged, the job starts anew", folder / PLAN)
    return None


def _report(folder: Path, left: _Plan, what: str) -> None:
    done = len(list((folder / DONE).glob("*.facts")))
    logger.warning("%s: %d of %d chunks are done, %s", folder, done, len(left.chunks), what)


def _clear(folder: Path) -> None:
    """Removes what a job left.

    Raises:
        UserError: There is something that no job writes.
    """
    foreign = [path.name for path in folder.iterdir() if path.name not in _OURS and PARTIAL not in path.name]
    if foreign:
        what = f"holds {sorted(foreign)[0]!r}, which is not a file of this job"
        raise UserError(what, where=str(folder), hint="Move it elsewhere, or name another output folder")
    if isinstance(folder, StorePath):
        remove_folder(folder)
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
