"""Measures rates: runs every stage on two small samples of the corpus, and trains for some seconds."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstmlm.bases.text import TextTask
from lstmlm.errors import UserError
from lstmlm.planning.outputs import counted, record_sizes, row_bytes
from lstmlm.planning.rates import Line, Rates, Sizes
from lstmlm.planning.sample import LARGE, SMALL, Sample
from lstmlm.progress import Progress, Silent
from lstmlm.publish.folder import Manifest, fingerprint
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from lstmlm.task import load_task

TRAINED_SECONDS = 20.0
LEAST_STEPS, MOST_STEPS = 20, 200
_UNMEASURED = ("steps", "evaluate_every", "evaluate_batches", "checkpoint_every", "keep", "keep_best", "early_stop")
"""Fields of `training` that a plan computes with, so rates do not depend on them."""


def rates_key(recipe: Recipe) -> str:
    """Returns what identifies rates: the machine, and the recipe but for what a plan computes with."""
    said = recipe.model_dump(mode="json", exclude={"output", "inference", "evaluation", "cluster"})
    said["training"] = {name: value for name, value in said["training"].items() if name not in _UNMEASURED}
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return fingerprint("rates-1", said, cpu, platform.machine(), len(os.sched_getaffinity(0)))


class Steps:
    """Receives the progress of training, and remembers when which step was done."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        """See `Progress.update`."""
        if done and (not self.seen or done > self.seen[-1][1]):
            self.seen.append((time.monotonic(), done))

    def step_seconds(self, fallback: float) -> float:
        """Returns the seconds of a step between the first and the last report."""
        (begun, first), (ended, last) = self.seen[0], self.seen[-1]
        return (ended - begun) / (last - first) if last > first else fallback


class Measured:
    """Runs stages in a folder and keeps what each took.

    Args:
        sample: The corpus.
        recipe: The run.
        progress: Receives the name of each stage.
    """

    def __init__(self, sample: Sample, recipe: Recipe, progress: Progress) -> None:
        self.sample, self.recipe, self._progress = sample, recipe, progress
        self.folder, self.memory = sample.folder, dict[str, int]()
        self._done = 0

    def run(self, stage: str, name: str, folder: str, *inputs: Any, **further: Any) -> tuple[float, Manifest]:
        """Runs a stage on a sample; returns its seconds and its manifest."""
        self._progress.update(self._done, 11, unit="stages", note=f"measuring {stage}")
        self._done += 1
        recipe = further.pop("recipe", None) or self.sample.recipe(self.recipe, name)
        progress = further.pop("progress", Silent())
        places = {one.name: place for one, place in zip(STAGES[stage].inputs, inputs, strict=False)}
        function: Callable[..., Manifest] = STAGES[stage].load()
        started = time.monotonic()
        manifest = function(recipe, output=self.folder / folder, progress=progress, **places, **further)
        seconds = time.monotonic() - started
        self.memory[stage] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return seconds, manifest


def measure(recipe: Recipe, sample: Sample, progress: Progress, ray_address: str | None = None) -> Rates:
    """Runs every stage on the sample.

    Args:
        recipe: The run.
        sample: What `lstmlm.planning.sample.draw` drew of its corpus.
        progress: Receives the name of each stage.
        ray_address: A Ray cluster to train on; None: one is started here.

    Raises:
        UserError: The sample is too small for the recipe, or what a stage raises.
    """
    import apache_beam  # noqa: F401 - imports are paid once for a run, and belong to no stage
    import tensorflow  # noqa: F401

    work, folder = Measured(sample, recipe, progress), sample.folder
    try:
        return _rates(work, recipe, folder, ray_address)
    except UserError as error:
        what = f"the stages cannot be measured on a sample of {sample.rows} rows: {error.what}"
        raise UserError(what, where=error.where, hint=f"Give a larger --sample; or: {error.hint}") from error


def _rates(work: Measured, recipe: Recipe, folder: Path, ray_address: str | None) -> Rates:
    sample, lines = work.sample, dict[str, Line]()
    little, _ = work.run("ingest", SMALL, "records-small")
    much, records = work.run("ingest", LARGE, "records")
    lines["ingest"] = Line.through((sample.bytes / 2, little), (sample.bytes, much))
    words, tokenizer = work.run("tokenizer", LARGE, "tokenizer", folder / "records")
    counts = record_sizes(records.facts)
    little, few = work.run("examples", SMALL, "examples-small", folder / "records-small", folder / "tokenizer")
    much, examples = work.run("examples", LARGE, "examples", folder / "records", folder / "tokenizer")
    splits = examples.facts["splits"]
    halves = [sum(one["records"] for one in found.facts["splits"].values()) for found in (few, examples)]
    lines["examples"] = Line.through((halves[0], little), (halves[1], much))
    # Drawing the sample starts a pipeline, as encoding does; what is left grows with the records.
    started = min(lines["examples"].fixed, words)
    lines["tokenizer"] = Line(started, (words - started) / max(1, int(tokenizer.facts["sampled"])))
    seconds, workers = _train(work, recipe, folder, ray_address)
    seconds["export"], _ = work.run("export", LARGE, "export", folder / "model", folder / "tokenizer")
    decoding, predictions = work.run(
        "infer", LARGE, "predictions", folder / "export", folder / "records", metrics=folder / "metrics.json"
    )
    speed = read_object(folder / "metrics.json", "tokens", "worker_seconds")
    decoded = max(1, int(speed["tokens"]))
    lines["infer"] = Line(max(0.0, decoding - speed["worker_seconds"]), speed["worker_seconds"] / decoded)
    sizes = _sizes(work, records, splits, predictions, counts)
    lines["evaluate"] = _evaluate(work, sizes, counts, decoded / max(1, int(predictions.facts["outputs"])))
    stages = {"ingest": "records", "tokenizer": "tokenizer", "examples": "examples", "train": "model"}
    stages |= {"export": "export", "evaluate": "evaluation", "infer": "predictions"}
    files = {stage: counted(folder / name, stage, growing=False) for stage, name in stages.items()}
    memory = work.memory | {"train": int(seconds.pop("peak"))}
    return Rates(rates_key(recipe), "probe", sizes, lines, seconds, files, memory, workers)


def _train(work: Measured, recipe: Recipe, folder: Path, ray_address: str | None) -> tuple[dict[str, float], int]:
    """Trains for some seconds; returns the seconds of the parts of training, and the workers."""
    from lstmlm.training.probe import probe

    sampled = work.sample.recipe(recipe, LARGE)
    found = probe(sampled, folder / "examples", folder / "tokenizer")
    if found is None:
        raise UserError("a training step runs out of memory", where="training", hint="Lower training.batch")
    steps = round(max(LEAST_STEPS, min(MOST_STEPS, TRAINED_SECONDS / found.step_seconds)), -1)
    settings: dict[str, Any] = {
        "steps": int(steps),
        "evaluate_every": int(steps),
        "checkpoint_every": int(steps),
        "warmup": 1,
    }
    settings |= {"metric": "loss", "evaluate_batches": 1, "early_stop": None, "tensorboard": False}
    known = {name: value for name, value in settings.items() if name in type(recipe.training).model_fields}
    sampled = sampled.model_copy(update={"training": recipe.training.model_copy(update=known)})
    clock, begun = Steps(), time.monotonic()
    whole, _ = work.run(
        "train", LARGE, "model", folder / "examples", folder / "tokenizer", recipe=sampled, progress=clock,
        ray_address=ray_address,
    )  # fmt: skip
    step = clock.step_seconds(found.step_seconds)
    start = clock.seen[0][0] - begun - clock.seen[0][1] * step
    end = whole - (clock.seen[-1][0] - begun) - found.evaluation_seconds
    parts = {"train.start": max(0.0, start), "train.step": step, "train.evaluate": found.evaluation_seconds}
    return parts | {"train.end": max(0.0, end), "peak": float(found.peak_bytes)}, recipe.training.most_workers


def _evaluate(work: Measured, sizes: Sizes, counts: dict[str, int], decoded: float) -> Line:
    """Evaluates on both samples; where texts are decoded, those of an untrained model are too long or too short."""
    folder, most = work.folder, work.recipe.evaluation.max_records
    points = []
    for name, records in ((SMALL, "records-small"), (LARGE, "records")):
        seconds, _ = work.run(
            "evaluate", name, "evaluation" if name == LARGE else "evaluation-small", folder / "export", folder / records
        )
        found = record_sizes(read_object(folder / records / "manifest.json", "facts")["facts"])
        units = min(found["valid"], most) if sizes.target_tokens else found["train"] + found["valid"]
        points.append((float(units), seconds))
    line = Line.through(points[0], points[1])
    return Line(line.fixed, line.rate * sizes.target_tokens / decoded) if sizes.target_tokens else line


def _sizes(
    work: Measured, records: Manifest, splits: dict[str, Any], predictions: Manifest, counts: dict[str, int]
) -> Sizes:
    from lstmlm.records.shards import records_in
    from lstmlm.tokenizer import Tokenizer, tokenizer_file

    sample, folder, task = work.sample, work.folder, load_task(work.recipe.task)
    every = counts["train"] + counts["valid"]
    tokens = sum(one["tokens"] for one in splits.values())
    own_valid = work.recipe.corpus.valid is not None
    outputs = max(1, int(predictions.facts["outputs"]))
    row, text = row_bytes(folder / "predictions")
    if not isinstance(task, TextTask):
        target_tokens, target_bytes, row = int(predictions.facts["tokens"]) / outputs, 0.0, row + text
    elif task.has_targets:
        words = Tokenizer(tokenizer_file(folder / "tokenizer"))
        texts = [record.targets[0] for record in records_in(folder / "records", "valid")][:2000]
        target_tokens = sum(len(ids) for ids in words.encode_batch(texts)) / max(1, len(texts))
        target_bytes = sum(len(one.encode()) for one in texts) / max(1, len(texts))
    else:
        target_tokens, target_bytes = 0.0, sample.bytes / max(1, tokens)
    kept = (counts["train"] if own_valid else every) / sample.rows
    return Sizes(
        row_bytes=sample.bytes / sample.rows,
        kept=kept,
        valid=0.0 if own_valid else counts["valid"] / every,
        valid_records=sample.valid_records if own_valid else 0,
        record_bytes=counted(folder / "records", "ingest", growing=True)[1] / every,
        example_bytes=counted(folder / "examples", "examples", growing=True)[1] / every,
        tokens=tokens / every,
        target_bytes=target_bytes,
        target_tokens=target_tokens,
        output_bytes=row,
    )
