"""The infer stage: decodes texts with an exported model as a Beam batch job."""

from __future__ import annotations

import functools
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.corpus.reading.openers import use_store_options
from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.steps.privacy.kind import kind_versions
from lstmlm.corpus.steps.privacy.published import scrubbed, scrubbed_messages, scrubber_of, without_key
from lstmlm.inference.input.counting import Counted, count
from lstmlm.inference.input.documents import documents_stamp
from lstmlm.inference.input.inputs import choose
from lstmlm.inference.input.requests import Dead, Source
from lstmlm.inference.model.backend_kind import BACKENDS
from lstmlm.inference.model.loading import check_task
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.inference.output.format import FORMATS
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.folder import (
    Draft,
    Manifest,
    fingerprint,
    full_disk_reported,
    publish,
    read_manifest,
    replacing,
)
from lstmlm.stages import STAGES
from lstmlm.storage import place
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.inference.job import Place
    from lstmlm.inference.model.handler import TaskHandler
    from lstmlm.inference.work import Work
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.runners.runner import Runner

STAGE = STAGES["infer"]
DEAD_LETTERS = "dead_letters.jsonl"

CHUNKS_VERSION = 3
"""Raise it with the form of the files that a job works with; its outputs do not depend on it."""

IDLE_TRIES = 3
"""Times that workers may die with nothing done since the last time."""

_LOG = logging.getLogger(__name__)


def infer(
    recipe: Recipe,
    export: Path,
    output: Path,
    progress: Progress,
    *,
    records: Path | None = None,
    input: Path | None = None,
    runner: Runner | None = None,
    resume: bool = False,
    metrics: Path | None = None,
) -> Manifest:
    """Decodes a batch of texts with a published model.

    Every input gets one output or one dead letter. The bytes written depend on the model, the inputs and the recipe
    only. While it works, the job keeps what is done in `.NAME.work` next to the output, chunk by chunk.

    Args:
        recipe: The run.
        export: The export folder, or the URL of one in a store: each machine then has a copy in its cache.
        output: A folder, or the URL of one in a store. Gets `predictions-00000-of-0000N` files in the order of the
            input, and `dead_letters.jsonl`.
        progress: Receives the progress of the stage.
        records: A records folder, or the URL of one; its valid split is decoded if there is no other input.
        input: A file, a folder or a glob, or the URL of one in a store; absent: inference.input of the recipe.
        runner: Where the pipeline runs; absent: in this process.
        resume: Refuse to start where another job left work, which is removed otherwise. The same job always resumes.
        metrics: Gets the rates, the fill of the batches and the latencies of this run, as JSON.

    Returns:
        The manifest of the output folder.

    Raises:
        UserError: The export is not finished, of another task or cannot be decoded as the recipe says, the input is
            missing, empty or has an id twice, too many inputs became dead letters, the output folder holds something
            else, another job works on it, what is left to resume is of another job, or the disk is full.
    """
    if runner is not None and runner.options:
        use_store_options(runner.flags())
    output, named, export = output_place(output), export, local_copy(export)
    records = None if records is None else place(records)
    source, model = choose(recipe, records, input), read_manifest(export, "export", verify=True)
    _check_model(recipe, export)
    stamp = _stamp(recipe, model, source)
    final = fingerprint(stamp, recipe.inference.max_dead_fraction)

    def work_until_published() -> None:
        from lstmlm.inference.job import Place
        from lstmlm.inference.model.handler import TaskHandler
        from lstmlm.inference.work import held, opened

        private = scrubbed_messages(without_key(recipe.corpus.privacy))
        with (
            private,
            held(output, fingerprint(stamp, CHUNKS_VERSION), resume=resume) as folder,
            full_disk_reported(folder, "Free some and run again: the job resumes"),
        ):
            chunks = Place(folder, recipe.inference.format)
            _plan(chunks, source, recipe, fingerprint(stamp, CHUNKS_VERSION), progress)
            work = opened(chunks)
            handler = TaskHandler(named, recipe)
            _decode(work, handler, progress, runner, metrics)
            with publish(output, STAGE.kind, final) as draft:
                _join(work, recipe, draft, source.where)
            remove_folder(folder)
            facts = draft.facts
            note = f"{facts['tokens']:,} tokens; {facts['dead_letters']:,} dead letters"
            counted = {name: facts[name] for name in ("tokens", "dead_letters")}
            progress.update(facts["records"], facts["records"], unit="records", note=note, numbers=counted)

    return STAGE.once(output, final, work_until_published)


def _check_model(recipe: Recipe, export: Path) -> None:
    """Refuses, before any worker loads it, a model that the recipe does not fit.

    Raises:
        UserError: It is of another task, or cannot be decoded as the recipe says.
    """
    check_task(export, recipe.task)
    check_same_network(recipe, export)
    load_task(recipe.task).check_predicting(export, recipe)


def _stamp(recipe: Recipe, model: Manifest, source: Source) -> str:
    privacy = recipe.corpus.privacy.model_dump(mode="json") if recipe.corpus.privacy.kinds else None
    asked = [*STAGE.decided(recipe).values(), privacy]
    others = load_task(recipe.task).decoding_stamp(recipe)
    read = source.stamp(), *documents_stamp(recipe)
    return STAGE.stamp(asked, model.fingerprint, *read, *_extension_versions(recipe), *others)


def _extension_versions(recipe: Recipe) -> list[str]:
    """Returns `name version` of what other packages add to the job."""
    return [
        *BACKENDS.versions([recipe.decoding.backend]),
        *FORMATS.versions([recipe.inference.format]),
        *READERS.versions(recipe.corpus.readers),
        *kind_versions(recipe.corpus.privacy.kinds),
    ]


def _plan(place: Place, source: Source, recipe: Recipe, stamp: str, progress: Progress) -> None:
    """Cuts the input into chunks, unless an earlier job did.

    Raises:
        UserError: It is empty, has an id twice, or too much of it cannot be decoded.
    """
    from lstmlm.inference.work import is_planned, plan

    if is_planned(place.folder):
        return
    progress.update(0, unit="records", note="reading the input")
    counted = count(source)
    counted.check(recipe.inference.max_dead_fraction, source.where)
    counted.check_columns(recipe.inference.constraint_columns, source.where)
    plan(place, source, counted.total, recipe.inference.shards, stamp)


def _decode(work: Work, handler: TaskHandler, progress: Progress, runner: Runner | None, metrics: Path | None) -> None:
    """Runs the pipeline over the chunks that are left, and measures it."""
    from lstmlm.inference.watch import throughput, watched
    from lstmlm.progress import numbers_of

    progress.update(0, work.total, unit="records", note="loading the model")
    left, started = work.left(), time.monotonic()
    with watched(work, progress):
        _run_chunks(work, handler, runner)
    if metrics is not None:  # it reads what every chunk noted
        found = throughput(work, left, time.monotonic() - started).metrics()
        progress.update(work.total, work.total, unit="records", note="joining", numbers=numbers_of(found))
        with replacing(metrics, durable=True) as stream:
            stream.write(json.dumps(found, indent=1).encode() + b"\n")


def _run_chunks(work: Work, handler: TaskHandler, runner: Runner | None) -> None:
    """Runs the pipeline until no chunk is left: a worker process that dies costs the chunks it had in hand.

    Raises:
        WorkerDied: Workers died several times without anything done in between.
    """
    from lstmlm.inference.job import build
    from lstmlm.runners.local_workers import WorkerDied
    from lstmlm.runners.pipeline import run_pipeline

    idle = 0
    while left := work.left():
        try:
            run_pipeline(functools.partial(build, chunks=left, place=work.place, handler=handler), runner)
        except WorkerDied as error:
            idle = idle + 1 if len(work.left()) == len(left) else 0
            if idle == IDLE_TRIES:
                raise
            _LOG.warning("%s; %d of %d chunks are left", error, len(work.left()), len(work.chunks))


def _letters(facts: Sequence[Mapping[str, Any]], recipe: Recipe) -> Iterator[str]:
    """Yields the lines of all dead letters, scrubbed where the recipe asks for it: they may quote the input."""
    from lstmlm.inference.output.lines import json_line

    scrubber = scrubber_of(without_key(recipe.corpus.privacy))
    for letter in (letter for one in facts for letter in one["letters"]):
        yield letter if scrubber is None else json_line(scrubbed(json.loads(letter), scrubber))


def _join(work: Work, recipe: Recipe, draft: Draft, where: str) -> None:
    """Joins what was done to the files of the output, and counts it.

    Raises:
        UserError: There are too many dead letters.
        RuntimeError: An input has no line, or more than one.
    """
    from lstmlm.inference.output.format import output_format, shard_name

    wanted, place = recipe.inference, work.place
    facts = work.all_facts()
    filled = [chunk for chunk in work.chunks if facts[chunk.number]["outputs"]]
    format, schema = output_format(wanted.format), load_task(recipe.task).schema(recipe)
    common = format.common((place.part(chunk.number) for chunk in filled), schema)
    written = 0
    for shard in range(wanted.shards):
        parts = [place.part(chunk.number) for chunk in filled if chunk.shard == shard]
        written += format.join(parts, draft.path / shard_name(shard, wanted.shards, format), common)
    with replacing(draft.path / DEAD_LETTERS) as stream:
        stream.writelines(f"{letter}\n".encode() for letter in _letters(facts, recipe))
    dead = sum(len(one["letters"]) for one in facts)
    total = work.total
    if written + dead != total:
        raise RuntimeError(f"{total} inputs gave {written} outputs and {dead} dead letters")
    first = next((Dead(0, **json.loads(letter)) for one in facts for letter in one["letters"]), None)
    Counted(total, dead, first).check(wanted.max_dead_fraction, where)
    tokens, cut = sum(one["tokens"] for one in facts), sum(one["cut"] for one in facts)
    draft.facts.update(records=total, outputs=written, dead_letters=dead, tokens=tokens, cut_sources=cut)
