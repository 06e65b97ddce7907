"""The infer stage: an export and texts in, texts out."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.inference.inputs import Source, choose, count
from lstmlm.inference.loading import batch_limits
from lstmlm.publish import Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.inference.job import Job
    from lstmlm.progress import Progress
    from lstmlm.recipe import Recipe
    from lstmlm.runner import Runner

KIND = "predictions"
STAGE_VERSION = 2


def infer(
    recipe: Recipe,
    export: Path,
    output: Path,
    progress: Progress,
    *,
    records: Path | None = None,
    input: Path | None = None,
    runner: Runner | None = None,
) -> Manifest:
    """Decodes a batch of texts with a published model.

    Every input gets one line, an output or a dead letter. The bytes written depend on the model, the inputs and the
    recipe alone.

    Args:
        recipe: The run.
        export: The export folder.
        output: Gets `predictions-00000-of-0000N.jsonl` in the order of the input, and `dead_letters.jsonl`.
        progress: Told how far the stage is.
        records: A records folder, whose valid split is decoded if there is no JSONL file.
        input: A JSONL file, plain or .gz; absent: inference.input of the recipe.
        runner: Where the pipeline runs; absent: in this process.

    Returns:
        The manifest of the output folder.

    Raises:
        UserError: The export is not finished, the input is missing, empty or has an id twice, too many inputs
            became dead letters, or the output folder holds something else.
    """
    load_task(recipe.task)
    source = choose(recipe, records, input)
    stamp = _stamp(recipe, read_manifest(export, "export"), source)
    if is_finished(output, KIND, stamp):
        return read_manifest(output, KIND)
    with publish(output, KIND, stamp) as draft:
        progress.update(0, unit="records", note="reading the input")
        total = count(source)
        from lstmlm.inference.job import Job

        batch, characters = batch_limits(export)
        job = Job(source, total, recipe.inference.shards, batch, characters, recipe.task, draft.path)
        started = time.monotonic()
        tokens, cut = _decode(job, export, recipe.training.threads, progress, runner)
        seconds = time.monotonic() - started
        dead = _check(job, recipe.inference.max_dead_fraction)
        draft.facts.update(records=total, outputs=total - dead, dead_letters=dead, tokens=tokens, cut_sources=cut)
        note = f"{tokens:,} tokens, {tokens / seconds:,.0f} a second; {dead:,} dead letters"
        progress.update(total, total, unit="records", note=note)
    return read_manifest(output, KIND)


def _stamp(recipe: Recipe, export: Manifest, source: Source) -> str:
    wanted = recipe.inference
    sections = [recipe.task, recipe.seed, wanted.shards, wanted.max_dead_fraction]
    return fingerprint("infer", STAGE_VERSION, sections, export.fingerprint, source.stamp())


def _decode(job: Job, export: Path, threads: int, progress: Progress, runner: Runner | None) -> tuple[int, int]:
    """Runs the pipeline, so that every file of the job exists; returns the tokens decoded and the sources cut."""
    from lstmlm.beam import read_json, run_pipeline
    from lstmlm.inference.handler import TextHandler, watched
    from lstmlm.inference.job import build

    done = 0

    def listen(records: int) -> None:
        nonlocal done
        done += records
        progress.update(done, job.total, unit="records")

    progress.update(0, job.total, unit="records", note="loading the model")
    with tempfile.TemporaryDirectory() as scratch, watched(listen) as watcher:
        handler = TextHandler(export, job.batch, threads, watcher)
        tallies = Path(scratch) / "tallies.json"
        run_pipeline(lambda pipeline: build(pipeline, job, handler, tallies), runner)
        counts = list(read_json(tallies))
    for name in job.files():
        (job.folder / name).touch()  # Beam writes no file for a group without elements
    return sum(tally[2] for tally in counts), sum(tally[3] for tally in counts)


def _check(job: Job, allowed: float) -> int:
    """Counts what was written; returns the number of dead letters.

    Raises:
        UserError: There are too many dead letters.
        RuntimeError: An input has no line, or more than one.
    """
    *outputs, letters = (_lines(job.folder / name) for name in job.files())
    if sum(outputs) + letters != job.total:
        raise RuntimeError(f"{job.total} inputs gave {sum(outputs)} outputs and {letters} dead letters")
    if letters > allowed * job.total:
        with (job.folder / job.files()[-1]).open(encoding="utf-8") as stream:
            first = json.loads(next(stream))
        place = first.get("line") or first.get("id")
        what = f"{letters} of {job.total} records failed, the first at {first['file']}:{place}: {first['reason']}"
        cure = f"Mend the input, or raise inference.max_dead_fraction above {letters / job.total:.3g}"
        raise UserError(what, where=job.source.where, cure=cure)
    return letters


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)
