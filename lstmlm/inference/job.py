"""The Beam pipeline of batch inference: one worker reads, decodes and writes each chunk; there is no shuffle.

So memory does not grow with the input, and what is done is done, whatever happens to the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import RunInference

from lstmlm.inference.chunks import Chunk, ChunkContent, read_chunk
from lstmlm.inference.input.requests import Dead
from lstmlm.inference.model.handler import Answers, TaskHandler
from lstmlm.inference.model.isolation import Answer
from lstmlm.inference.output.done import finish_chunk
from lstmlm.inference.output.format import output_format
from lstmlm.inference.output.lines import json_line

CHUNKS, DONE = "chunks", "done"
"""Folders inside the work folder."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """The folder of a job's chunks, and how their outputs are written.

    Attributes:
        folder: The work folder.
        format: Name of the format of the output files.
    """

    folder: Path
    format: str

    @property
    def inputs(self) -> Path:
        """The folder of the chunks."""
        return self.folder / CHUNKS

    @property
    def done(self) -> Path:
        """The folder of their outputs."""
        return self.folder / DONE

    def part(self, number: int) -> Path:
        """Returns where the outputs of a chunk go; there is no file where all of them are dead letters."""
        return self.done / f"{number:06d}.part"

    def facts(self, number: int) -> Path:
        """Returns the file that says what became of a chunk: written last, so it says that the chunk is done."""
        return self.done / f"{number:06d}.facts"


def build(pipeline: beam.Pipeline, chunks: Iterable[Chunk], place: Place, handler: TaskHandler) -> None:
    """Adds the decoding of chunks to a pipeline.

    Args:
        pipeline: The pipeline.
        chunks: What is to be done.
        place: The work folder; every worker sees it.
        handler: The model.
    """
    _ = (
        pipeline
        | "Chunks" >> beam.Create(list(chunks), reshuffle=False)
        | "Spread" >> beam.Reshuffle()
        | "Read" >> beam.Map(lambda chunk: read_chunk(place.inputs, chunk)).with_output_types(ChunkContent)
        | "Decode" >> RunInference(handler.with_no_batching())
        | "Write" >> beam.ParDo(_Write(place))
    )


class _Write(beam.DoFn):
    """Writes what became of a chunk. Two workers with the same chunk write the same, and either may be the last."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tokens = Metrics.counter("lstmlm", "tokens")
        self._dead = Metrics.counter("lstmlm", "dead_letters")

    def process(self, decoded: Answers) -> None:
        """Writes the outputs, then the facts."""
        number = decoded.content.chunk.number
        rows = [output_row(answer) for answer in decoded.answers if answer.output is not None]
        if rows:
            output_format(self._place.format).write_part(self._place.part(number), rows)
        facts = chunk_facts(decoded)
        finish_chunk(self._place.part(number), self._place.facts(number), facts)
        self._tokens.inc(facts["tokens"])
        self._dead.inc(len(facts["letters"]))


def output_row(answer: Answer) -> dict[str, Any]:
    """Returns what is written of an answer that has an output: our columns, then the other columns of the input."""
    request, predicted = answer.request, answer.output
    assert predicted is not None
    return {"id": request.id, **predicted.fields} | request.extra


def chunk_facts(decoded: Answers) -> dict[str, Any]:
    """Returns the counts of a chunk, and the lines of its dead letters in the order of the input."""
    outputs = [answer.output for answer in decoded.answers if answer.output is not None]
    dead = [*decoded.content.dead, *(_dead(answer) for answer in decoded.answers if answer.output is None)]
    return {
        "outputs": len(outputs),
        "tokens": sum(output.size for output in outputs),
        "cut": sum(output.cut > 0 for output in outputs),
        "letters": [json_line(one.letter()) for one in sorted(dead, key=lambda one: one.index)],
        "seconds": decoded.seconds,
        "meter": decoded.meter.facts(),
    }


def _dead(answer: Answer) -> Dead:
    request = answer.request
    return Dead(request.index, answer.error, request.file, request.line, request.id)
