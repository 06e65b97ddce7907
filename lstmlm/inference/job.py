"""The Beam pipeline from requests to files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference

from lstmlm.beam import WriteJson
from lstmlm.inference.handler import Answer, TextHandler
from lstmlm.inference.inputs import Dead, Request, Source
from lstmlm.publish import replacing
from lstmlm.task import load_task

DEAD_LETTERS = "dead_letters.jsonl"

Line = tuple[int, str, int, int]
"""Place in the input, the line to write, the tokens decoded for it, and 1 if its source was cut, else 0."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What the pipeline has to know.

    Attributes:
        source: What to decode.
        total: Number of its inputs.
        shards: Number of output files.
        batch: Records the model is given at once, at most.
        characters: Characters it is given at once, about: bounds the memory of a batch of long texts.
        task: Name of the task, which forms the output lines.
        folder: Where the files go.
    """

    source: Source
    total: int
    shards: int
    batch: int
    characters: int
    task: str
    folder: Path

    def shard_name(self, shard: int) -> str:
        """Returns the file name of a shard."""
        return f"predictions-{shard:05d}-of-{self.shards:05d}.jsonl"

    def file_of(self, index: int) -> str:
        """Returns the file name for an input: each shard holds a contiguous range of the input."""
        return self.shard_name(index * self.shards // self.total)

    def files(self) -> list[str]:
        """Returns the names of all files, in order of the input, dead letters last."""
        return [*map(self.shard_name, range(self.shards)), DEAD_LETTERS]


def build(pipeline: beam.Pipeline, job: Job, handler: TextHandler, tallies: Path) -> None:
    """Adds the job to a pipeline.

    Batches are made where the input is read, not by Beam: so they are the same on every runner and in every run.

    Args:
        pipeline: The pipeline.
        job: What to do.
        handler: The model.
        tallies: Gets a JSON list of [file name, lines, tokens, cut sources], for the files that have lines.
    """
    dead, batches = (
        pipeline
        | "Start" >> beam.Create([None])
        | "Read" >> beam.FlatMap(_read, job=job).with_outputs("batches", main="dead")
    )
    answers = batches | "Spread" >> beam.Reshuffle() | "Decode" >> RunInference(handler.with_no_batching())
    lines = answers | "Format" >> beam.ParDo(_Format(job))
    letters = dead | "Letters" >> beam.Map(_letter)
    _ = (
        (lines, letters)
        | "Join" >> beam.Flatten()
        | "Group" >> beam.GroupByKey()
        | "Write" >> beam.Map(_write, folder=str(job.folder))
        | "Tally" >> WriteJson(tallies)
    )


def _read(_: None, job: Job) -> Iterator[Any]:
    """Yields dead letters one by one, and the requests in full batches."""
    requests: list[Request] = []
    characters = 0
    for item in job.source.items():
        if isinstance(item, Dead):
            yield item
            continue
        requests.append(item)
        characters += len(item.text)
        if len(requests) == job.batch or characters >= job.characters:
            yield beam.pvalue.TaggedOutput("batches", requests)
            requests, characters = [], 0
    if requests:
        yield beam.pvalue.TaggedOutput("batches", requests)


class _Format(beam.DoFn):
    """Turns answers into lines of the file they belong to."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Loads the task, once a worker."""
        self._task = load_task(self._job.task)

    def process(self, answer: Answer) -> Iterator[tuple[str, Line]]:
        """Yields (file name, line)."""
        request = answer.request
        if answer.output is None:
            yield _letter(Dead(request.index, answer.error, request.file, request.line, request.id))
            return
        decoded = answer.output
        fields = self._task.output(request.id, request.text, decoded.text)
        if decoded.n_best:
            fields["n_best"] = [{"output": text, "score": score} for text, score in decoded.n_best]
        line = json_line(fields)
        yield self._job.file_of(request.index), (request.index, line, decoded.tokens, int(decoded.cut > 0))


def _letter(dead: Dead) -> tuple[str, Line]:
    return DEAD_LETTERS, (dead.index, json_line(dead.letter()), 0, 0)


def json_line(value: dict[str, Any]) -> str:
    r"""Returns JSON without any character that some reader takes for the end of a line.

    JSON leaves U+0085, U+2028 and U+2029 as they are, and Python's `splitlines`, among others, splits at them.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _write(group: tuple[str, Iterable[Line]], folder: str) -> tuple[str, int, int, int]:
    """Writes the lines of one file in the order of the input; returns its name and its tallies."""
    name, lines = group
    ordered = sorted(lines)
    path = Path(folder) / name
    with replacing(path) as stream:
        stream.writelines(f"{line}\n".encode() for _, line, _, _ in ordered)
    return name, len(ordered), sum(line[2] for line in ordered), sum(line[3] for line in ordered)
