"""The training loop of one worker: steps, evaluations, checkpoints; with or without Ray."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.examples.failures import mistake_in
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import shard_files
from lstmlm.task import MetricProbe, load_task
from lstmlm.tokenizer import stored_labels, tokenizer_file
from lstmlm.tokenizer.identity import vocabulary_facts
from lstmlm.training.checkpoints.checkpoint import Position, check_space, checkpoints, restore_newest
from lstmlm.training.checkpoints.identity import deciding
from lstmlm.training.checkpoints.keeper import keeper
from lstmlm.training.checkpoints.weight_average import WeightAverage, average_share, averages, averaging_since
from lstmlm.training.initial.resume import resumed_step
from lstmlm.training.initial.start import start
from lstmlm.training.loop import Batch, Loop, batch_specs, own_batches, share_of, summed_room
from lstmlm.training.metrics.logger import MetricsLogger
from lstmlm.training.metrics.objective import choose_objective
from lstmlm.training.optimizer import make_optimizer
from lstmlm.training.schedule import learning_rate, should_stop
from lstmlm.training.workers.all_reduce import AllReduce
from lstmlm.training.workers.carried import CarriedState
from lstmlm.training.workers.gpu import use_gpu
from lstmlm.training.workers.shared_memory import through_memory

Report = Callable[[dict[str, float]], None]


def train_worker(
    recipe: Recipe, examples: Path, tokenizer: Path, work: Path, group: AllReduce, report: Report, holder: str = ""
) -> Position:
    """Trains to the recipe's last step, resuming from the newest checkpoint in `work`.

    Only rank 0 writes: `work/step-*` (checkpoints), `work/best-*.npz` (weights of the best evaluations) and
    `work/metrics.jsonl`.

    Args:
        recipe: The run.
        examples: The examples folder, or one in a store.
        tokenizer: The tokenizer folder.
        work: Folder on a file system that all workers see, or in a store.
        group: The workers.
        report: Called on every rank after each evaluation with its metrics.
        holder: See `lstmlm.training.checkpoints.keeper.StoreKeeper`.

    Raises:
        UserError: No training batch, data of another vocabulary, no space, or the loss is no longer a number.
    """
    worker = Worker(recipe, tokenizer, work, group, report, holder)
    with contextlib.closing(worker):
        _train(worker, recipe, examples, tokenizer)
    return worker.position


def _train(worker: Worker, recipe: Recipe, examples: Path, tokenizer: Path) -> None:
    """Takes steps, evaluates and saves until the last step."""
    task, files, settings = load_task(recipe.task), shard_files(examples, "train"), recipe.training
    # Decoded once: the same few batches are scored again and again.
    valid = shard_files(examples, "valid")
    with damage_named(examples):
        held_out = list(task.batches(valid, recipe, epoch=None).take(settings.evaluate_batches))
    probe = None
    if choose_objective(recipe).decoded:
        with damage_named(examples):
            probe = task.output_metric_probe(recipe, valid, tokenizer, worker.model, worker.group)
    with damage_named(examples):
        worker.prepare(lambda: task.batches(files, recipe, epoch=None))
    batches = own_batches(task, files, recipe, worker.position, share_of(worker.group, recipe))
    while not worker.finished:
        with damage_named(examples):
            batch = next(batches, None)
        if batch is None:
            hint = "Lower training.batch (or batch_tokens), or give more text"
            raise UserError(
                "the batch is larger than the data: there is not one full training batch", where="training", hint=hint
            )
        worker.step(batch)
        if worker.due(settings.evaluate_every):
            worker.evaluate(held_out, probe)
        if worker.due(settings.checkpoint_every):
            worker.save()


@contextlib.contextmanager
def damage_named(examples: Path) -> Iterator[None]:
    """Turns what TensorFlow raises when it reads examples into one line that names the file.

    Raises:
        UserError: A shard of the folder is missing or damaged, or its index does not fit it.
    """
    try:
        yield
    except tf.errors.UnknownError as error:
        mistake = mistake_in(error)
        if mistake is None:
            raise
        raise mistake from None
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
        read_manifest(examples, "examples", verify=True)
        hint = "Remove the folder and run the examples stage again"
        raise UserError("the examples cannot be read: damaged", where=str(examples), hint=hint) from error


class Worker:
    """The state of training in one process; see `train_worker` for the arguments.

    Attributes:
        position: The position in training.
        model: The model.
        group: The workers.
    """

    def __init__(
        self, recipe: Recipe, tokenizer: Path, work: Path, group: AllReduce, report: Report, holder: str = ""
    ) -> None:
        vocabulary = vocabulary_facts(read_manifest(tokenizer, "tokenizer"))
        self._recipe, self._settings, self._vocabulary = recipe, recipe.training, vocabulary["size"]
        self._objective = choose_objective(recipe)
        self._identity = deciding(recipe) | {"vocabulary": vocabulary}
        self._work, self._report = work, report
        task, words = load_task(recipe.task), tokenizer_file(tokenizer)
        self.model = task.build(recipe, self._vocabulary, stored_labels(words))
        self._ids = [name for name, feature in task.features(recipe).items() if feature.kind == "tokens"]
        self._named = self.model.named_variables()
        begun = start(recipe, tokenizer, self.model)
        self.group = group
        if self._settings.use_gpu:
            use_gpu(self.model)
        else:
            self.group = through_memory(group, summed_room(begun.learning.values()), self._settings.collective_timeout)
        self._optimizer = make_optimizer(begun.learning, self._settings, begun.paces)
        self._average = WeightAverage(self._named) if averages(self._settings) else None
        self._carried = (
            CarriedState(self.model, self._settings.batch, self.group) if self._settings.carry_state else None
        )
        self._everything: dict[str, tf.Variable] = self._named | self._optimizer.state(list(begun.learning))
        self._everything |= self._average.state() if self._average else {}
        self._everything |= self._carried.variables() if self._carried else {}
        self.position = restore_newest(work, self._everything, self._identity)
        if self.position.step == 0:
            self.position.step = resumed_step(work, self._everything)
        if group.rank == 0:
            check_space(work, self._everything, self._settings.keep + self._settings.keep_best)
        self._loop: Loop | None = None
        self._keeper = keeper(work, self._identity, self._settings.keep, holder) if group.rank == 0 else None
        self._logger = MetricsLogger(self._keeper.row if self._keeper else None, self._settings.steps)

    def prepare(self, batches: Callable[[], Iterable[Batch]]) -> None:
        """Lets a model that needs it take something from the training examples, unless training has begun."""
        if self.position.step == 0 and self.model.fixed():
            self.model.prepare(batches())
            if self._average:
                self._average.update(tf.constant(1.0))

    @property
    def finished(self) -> bool:
        """Whether the last step is done, or evaluations have long brought nothing better."""
        stopped = should_stop(self.position.costs, self._settings.early_stop)
        return stopped or self.position.step >= self._settings.steps

    def due(self, every: int) -> bool:
        """Says whether something that is done every few steps, and at the end, is to be done now."""
        return self.position.step % every == 0 or self.finished

    def step(self, batch: Batch) -> None:
        """Takes one optimizer step on this worker's rows of a batch, which the position already counts as used."""
        self._check_ids(batch)
        if self._loop is None:
            self._loop = Loop(
                self.model, self._optimizer, self._average, self._carried, self._recipe, self.group, batch_specs(batch)
            )
        position = self.position
        position.step += 1
        since = averaging_since(position.losses, position.evaluated, self._settings.non_monotone)
        rate = learning_rate(position.step, self._settings, position.losses)
        loss, tokens, norm = self._loop.train(
            batch,
            position.step,
            rate,
            fresh=position.batch == 1,
            average_share=average_share(position.step, since, self._settings),
        )
        if not math.isfinite(loss) or not math.isfinite(norm):
            self._diverged()
        self._logger.count(position, loss, tokens, {"norm": norm, "rate": rate})

    def evaluate(self, held_out: list[Batch], probe: MetricProbe | None) -> None:
        """Scores the held-out batches, and keeps the weights if they are among the best.

        Every worker must call it; all get the same numbers, and so decide the same.
        """
        assert self._loop is not None
        position = self.position
        averaged = self._average.in_place() if self._average else contextlib.nullcontext()
        with averaged, self.model.published(held_out) as fitted:
            loss = self._loop.evaluate(held_out)
            found = {"loss": loss, "perplexity": math.exp(min(loss, 700.0))} | (probe.measure() if probe else {})
            found |= fitted
            position.evaluated.append(position.step)
            position.losses.append(loss)
            position.costs.append(self._objective.cost(found[self._objective.name]))
            best = position.best_steps(self._settings.keep_best)
            if self._keeper:
                self._keeper.best(position.step, self._named, best)
        measured = {f"valid_{name}": value for name, value in found.items()}
        row = {"step": position.step, **measured, "best_step": best[0]}
        if self._keeper:
            self._keeper.row(row)
        self._report({name: float(value) for name, value in row.items()})
        self._logger.resume()

    def loss(self, held_out: list[Batch]) -> float:
        """Returns the loss over batches, in nats per token, and keeps nothing of it; a step comes before."""
        assert self._loop is not None
        return self._loop.evaluate(held_out)

    def save(self) -> None:
        """Writes a checkpoint. Every worker must call it."""
        if self._loop is not None:
            self._loop.collect_state()
        if self._keeper:
            self._keeper.save(self._everything, self.position)

    def close(self) -> None:
        """Waits for what is on its way to a store."""
        if self._keeper:
            self._keeper.close()

    def _check_ids(self, batch: Batch) -> None:
        largest = max((int(np.max(batch[name])) for name in self._ids), default=-1)
        if largest >= self._vocabulary:
            what = f"the examples contain token id {largest}, but the vocabulary has only {self._vocabulary} tokens"
            hint = "Run the examples stage again with this tokenizer"
            raise UserError(what, where="training", hint=hint)

    def _diverged(self) -> None:
        good = checkpoints(self._work)
        last = f"the last good checkpoint is {good[-1]}" if good else "there is no checkpoint yet"
        raise UserError(
            f"the loss is not a finite number at step {self.position.step}; {last}",
            where="training.learning_rate",
            hint="Lower the learning rate or training.clip",
        )
