"""What one worker does from the first step to the last, with or without Ray around it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from lstmlm.corpus.shards import shard_files
from lstmlm.errors import UserError
from lstmlm.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.training.all_reduce import AllReduce
from lstmlm.training.checkpoint import Position, append_json, restore_newest, save_arrays, save_checkpoint
from lstmlm.training.loop import Loop, global_batches
from lstmlm.training.optimizer import Adam
from lstmlm.training.schedule import learning_rate

LOG_EVERY = 10

Report = Callable[[dict[str, float]], None]


def train_worker(
    recipe: Recipe, examples: Path, vocabulary: int, work: Path, group: AllReduce, report: Report
) -> Position:
    """Trains to the recipe's last step, resuming from the newest checkpoint in `work`.

    Rank 0 alone writes: `work/step-*` (checkpoints), `work/best.npz` (weights of the best evaluation) and
    `work/metrics.jsonl`.

    Args:
        recipe: The run.
        examples: The examples folder.
        vocabulary: Number of tokens.
        work: Folder on a file system that all workers see.
        group: The workers.
        report: Called on every rank after each evaluation with its metrics.

    Raises:
        UserError: No training batch, or the loss is no longer a number.
    """
    task = load_task(recipe.task)
    model = task.build(recipe, vocabulary)
    named = model.named_variables()
    optimizer = Adam(named, recipe.training.clip)
    everything = named | optimizer.state(list(named))
    position = restore_newest(work, everything)
    valid = shard_files(examples, "valid")
    # Decoded once: the same few batches are scored again and again.
    held_out = list(task.batches(valid, recipe, epoch=None).take(recipe.training.evaluate_batches))
    stream = global_batches(task, shard_files(examples, "train"), recipe, position)
    loop: Loop | None = None
    meter = _Meter(work, position.step, recipe.training.steps, group.rank == 0)
    while position.step < recipe.training.steps:
        batch = next(stream, None)
        if batch is None:
            cure = "Lower training.batch (or batch_tokens), or give more text"
            raise UserError("the batch is larger than the data: not one training batch", where="training", cure=cure)
        loop = loop or Loop(model, optimizer, recipe, group, batch)
        position.step += 1
        loss, tokens, norm = loop.train(batch, position.step, learning_rate(position.step, recipe.training))
        if not math.isfinite(loss) or not math.isfinite(norm):
            _diverged(work, position.step)
        meter.count(position, loss, tokens, norm)
        if _due(position.step, recipe.training.evaluate_every, recipe):
            _evaluate(loop, held_out, position, named, work, group, report)
            meter.resume()
        if group.rank == 0 and _due(position.step, recipe.training.checkpoint_every, recipe):
            save_checkpoint(work, everything, position, recipe.training.keep)
    return position


def _due(step: int, every: int, recipe: Recipe) -> bool:
    return step % every == 0 or step == recipe.training.steps


def _diverged(work: Path, step: int) -> None:
    good = sorted(work.glob("step-*"))
    last = f"the last good checkpoint is {good[-1]}" if good else "there is no checkpoint yet"
    raise UserError(
        f"the loss is not a finite number at step {step}; {last}",
        where="training.learning_rate",
        cure="Lower the learning rate or training.clip",
    )


def _evaluate(
    loop: Loop,
    held_out: Sequence[dict[str, tf.Tensor]],
    position: Position,
    named: dict[str, tf.Variable],
    work: Path,
    group: AllReduce,
    report: Report,
) -> None:
    loss = loop.evaluate(held_out)
    if loss < position.best:
        position.best, position.best_step = loss, position.step
        if group.rank == 0:
            save_arrays(work / ".best.partial", named)
            (work / ".best.partial").replace(work / "best.npz")
    row = {"step": position.step, "valid_loss": loss, "best_step": position.best_step}
    if group.rank == 0:
        append_json(work / "metrics.jsonl", row)
    report({name: float(value) for name, value in row.items()})


class _Meter:
    """Writes the running mean of the loss and the speed every few steps."""

    def __init__(self, work: Path, step: int, steps: int, writes: bool) -> None:
        self._path, self._steps, self._writes = work / "metrics.jsonl", steps, writes
        self._nats = self._tokens = 0.0
        self._since = time.perf_counter()

    def count(self, position: Position, loss: float, tokens: float, norm: float) -> None:
        """Adds a step."""
        self._nats, self._tokens = self._nats + loss * tokens, self._tokens + tokens
        if self._writes and (position.step % LOG_EVERY == 0 or position.step == self._steps):
            seconds = time.perf_counter() - self._since
            row = {"step": position.step, "epoch": position.epoch, "loss": self._nats / max(1.0, self._tokens)}
            append_json(self._path, row | {"norm": norm, "tokens_per_second": self._tokens / max(seconds, 1e-9)})
            self._nats = self._tokens = 0.0
            self._since = time.perf_counter()

    def resume(self) -> None:
        """Leaves the time since the last step out of the speed: an evaluation took it."""
        self._since = time.perf_counter()
