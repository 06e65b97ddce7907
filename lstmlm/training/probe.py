"""Takes a few real training steps in a separate process and reports their speed and memory."""

from __future__ import annotations

import dataclasses
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmlm.errors import UserError
from lstmlm.publish.cache import local_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import place

if TYPE_CHECKING:
    from lstmlm.training.workers.worker import Worker

WARM_UP, MEASURED = 2, 4


@dataclasses.dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found.

    Attributes:
        tokens_per_second: Of the median step, of one worker.
        peak_bytes: Largest resident memory of the process.
        step_seconds: Of the median step.
        evaluation_seconds: Of a batch of an evaluation; 0: not measured.
    """

    tokens_per_second: float
    peak_bytes: int
    step_seconds: float = 0.0
    evaluation_seconds: float = 0.0


def probe(recipe: Recipe, examples: Path, tokenizer: Path) -> ProbeResult | None:
    """Measures a recipe as one worker would train it.

    Args:
        recipe: The run; a single worker is taken, with the recipe's threads, batch and precision.
        examples: The examples folder.
        tokenizer: The tokenizer folder.

    Returns:
        What was measured; None where the process ran out of memory.

    Raises:
        UserError: The data does not suffice for a batch.
    """
    order = {"recipe": recipe.model_dump_json(), "folders": [str(path.resolve()) for path in (examples, tokenizer)]}
    command = [sys.executable, "-m", "lstmlm.training.probe"]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True)
    if done.returncode < 0:
        return None
    if done.returncode:
        raise UserError(f"the probe failed: {done.stderr.strip().splitlines()[-1]}", where="training")
    return ProbeResult(**json.loads(done.stdout.splitlines()[-1]))


def take_steps(recipe: Recipe, examples: Path, tokenizer: Path) -> ProbeResult:
    """Takes the steps in this process; see `probe`."""
    import tensorflow as tf

    from lstmlm.records.shards import shard_files
    from lstmlm.task import load_task
    from lstmlm.training.loop import own_batches, share_of
    from lstmlm.training.workers.all_reduce import SingleWorker
    from lstmlm.training.workers.worker import Worker

    tf.config.threading.set_intra_op_parallelism_threads(recipe.training.threads)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    with tempfile.TemporaryDirectory() as work:
        worker = Worker(recipe, tokenizer, Path(work), SingleWorker(), lambda row: None)
        share = share_of(worker.group, recipe)
        batches = own_batches(load_task(recipe.task), shard_files(examples, "train"), recipe, worker.position, share)
        rates, seconds = [], []
        for _ in range(WARM_UP + MEASURED):
            batch = next(batches, None)
            if batch is None:
                raise UserError("the batch is larger than the data", where="training", hint="Lower training.batch")
            tokens = _size(batch)
            started = time.perf_counter()
            worker.step(batch)
            seconds.append(time.perf_counter() - started)
            rates.append(tokens / seconds[-1])
        measured = _evaluation_seconds(worker, recipe, examples)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return ProbeResult(statistics.median(rates[WARM_UP:]), peak, statistics.median(seconds[WARM_UP:]), measured)


def _evaluation_seconds(worker: Worker, recipe: Recipe, examples: Path) -> float:
    """Returns the seconds of a batch of an evaluation; the first time it is traced, which does not count."""
    from lstmlm.records.shards import shard_files
    from lstmlm.task import load_task

    batches = load_task(recipe.task).batches(shard_files(examples, "valid"), recipe, epoch=None)
    held_out: list[Mapping[str, Any]] = list(itertools.islice(batches, MEASURED))
    if not held_out:
        return 0.0
    worker.loss(held_out)
    started = time.perf_counter()
    worker.loss(held_out)
    return (time.perf_counter() - started) / len(held_out)


def _size(batch: Mapping[str, Any]) -> int:
    """Returns what is read of a batch: its numbers above 0 where all are ids, else all of its numbers."""
    whole = all(values.dtype.is_integer for values in batch.values())
    return sum(int((values.numpy() > 0).sum()) if whole else int(np.size(values)) for values in batch.values())


if __name__ == "__main__":
    given = json.load(sys.stdin)
    try:
        examples, tokenizer = given["folders"]
        found = take_steps(Recipe.model_validate_json(given["recipe"]), place(examples), local_copy(tokenizer))
    except UserError as mistake:
        sys.exit(str(mistake))
    print(json.dumps(dataclasses.asdict(found)))
