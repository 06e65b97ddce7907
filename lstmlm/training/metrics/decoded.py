"""Evaluates a model during training on decoded outputs: part of the valid split is decoded greedily."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.models.base import Autoregressive
from lstmlm.models.graph_search import Options
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import stable_hash
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.training.workers.all_reduce import AllReduce

ROWS = 64
"""Sources decoded together. Which ones come together does not depend on the number of workers."""

Ids = tuple[int, ...]
Compare = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[str], Recipe], Mapping[str, Any]]


class OutputProbe:
    """Decodes the same sources at every evaluation; each worker takes some, and all get all outputs.

    Sources and references are the texts of the examples, so what the examples stage cut off is not asked for.

    Args:
        recipe: The run; `training.evaluate_records` sources are drawn by hash.
        files: The valid split's examples.
        tokenizer: The tokenizer folder.
        model: The model, decoded with the weights it has at the time.
        group: The workers.
        compare: Measures outputs by the accepted texts and the source of each.
        metrics: What of its results is returned.
    """

    def __init__(
        self,
        recipe: Recipe,
        files: Sequence[Path],
        tokenizer: Path,
        model: Autoregressive,
        group: AllReduce,
        compare: Compare,
        metrics: Iterable[str],
    ) -> None:
        self._recipe, self._compare, self._metrics, self._group = recipe, compare, list(metrics), group
        self._tokenizer = Tokenizer(tokenizer_file(tokenizer))
        pairs = _drawn(_pairs(files, recipe), recipe)
        self._batches = list(_batches([source for source, _ in pairs]))
        self._sources = [self._tokenizer.decode(source) for source, _ in pairs]
        self._references = [[self._tokenizer.decode(target) for target in targets] for _, targets in pairs]
        options = Options(sample=False, temperature=1.0, max_tokens=recipe.examples.max_target)
        self._shape = len(pairs), options.max_tokens

        def decode(ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
            return model.decode(ids, lengths, tf.zeros_like(lengths, tf.int64), options)

        specs = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
        self._decode = tf.function(decode, input_signature=specs)
        self._sum = tf.function(lambda ids: group.sum([ids])[0])

    def measure(self) -> dict[str, float]:
        """Returns the metrics, the same on every worker. Every worker must call it."""
        own = np.zeros(self._shape, np.float32)  # ids are whole numbers below 2**24, which float32 holds
        for number, batch in enumerate(self._batches):
            if number % self._group.world == self._group.rank:
                own[batch.places] = self._decode(batch.ids, batch.lengths).numpy()
        ids = self._sum(tf.constant(own)).numpy().astype(np.int64)
        outputs = [self._tokenizer.decode(row) for row in ids.tolist()]
        measured = self._compare(outputs, self._references, self._sources, self._recipe)
        return {name: float(measured[name]) for name in self._metrics}


@dataclasses.dataclass(frozen=True, slots=True)
class _Sources:
    """Sources that are decoded together: their places, and int32 [rows, time] ids padded with 0."""

    places: list[int]
    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]


def _pairs(files: Sequence[Path], recipe: Recipe) -> Iterator[tuple[Ids, Ids]]:
    """Yields source and target of every example."""
    for batch in load_task(recipe.task).batches(files, recipe, epoch=None).as_numpy_iterator():
        for source, target in zip(batch["source"], batch["target"], strict=True):
            if source[0]:  # a batch is filled up with rows of zeros
                yield tuple(source[source > 0].tolist()), tuple(target[target > 0].tolist())


def _drawn(pairs: Iterator[tuple[Ids, Ids]], recipe: Recipe) -> list[tuple[Ids, list[Ids]]]:
    """Joins the targets of each source, and draws some sources: a corpus is often sorted, so the first will not do."""
    targets: dict[Ids, list[Ids]] = {}
    for source, target in pairs:
        targets.setdefault(source, []).append(target)
    drawn = sorted(targets, key=lambda source: (stable_hash(recipe.seed, "evaluate", source), source))
    return [(source, targets[source]) for source in drawn[: recipe.training.evaluate_records]]


def _batches(sources: Sequence[Ids]) -> Iterator[_Sources]:
    """Yields batches of sources of like length."""
    order = sorted(range(len(sources)), key=lambda place: (len(sources[place]), place))
    for start in range(0, len(order), ROWS):
        places = order[start : start + ROWS]
        lengths = np.array([len(sources[place]) for place in places], np.int32)
        ids = np.zeros([len(places), int(lengths.max())], np.int32)
        for row, place in zip(ids, places, strict=True):
            row[: len(sources[place])] = sources[place]
        yield _Sources(places, ids, lengths)
