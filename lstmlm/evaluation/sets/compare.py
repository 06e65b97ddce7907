"""Compares two models on the same records, by the paired bootstrap (Koehn 2004)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lstmlm.errors import UserError
from lstmlm.publish.folder import read_manifest
from lstmlm.records.sums import Better, RecordSums
from lstmlm.task import load_task

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.records.record import Record

SAMPLES = 1000
_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A metric of two models on the same records.

    Attributes:
        metric: Its name.
        better: Which value of it is better.
        a: That of the first model.
        b: That of the second model.
        low: Lower end of the interval that holds 95 % of the differences (b - a) of samples of the records.
        high: Its upper end.
        p: Two-sided probability of such a difference, or a greater one, between models that are equally good.
    """

    metric: str
    better: Better
    a: float
    b: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """B minus a."""
        return self.b - self.a

    @property
    def verdict(self) -> str:
        """Which is better: `a`, `b`, or empty where that is not certain (p of 0.05 or more)."""
        if self.p >= 0.05 or not self.difference:
            return ""
        return "b" if (self.difference > 0) == (self.better == "higher") else "a"


def compare(
    a: tuple[Recipe, Path], b: tuple[Recipe, Path], records: Sequence[Record], samples: int = SAMPLES
) -> list[Difference]:
    """Measures two exported models, and how certain the differences are.

    Args:
        a: The recipe of a model, which says how it is decoded and what is measured, and its export folder.
        b: The same of another model.
        records: What both are measured on.
        samples: Samples of the records that are drawn.

    Returns:
        A difference for each metric that is computed from sums over records and can be compared.

    Raises:
        UserError: An export is not finished, they are of two tasks, or nothing can be compared.
    """
    first, second = a[0], b[0].model_copy(update={"seed": a[0].seed, "evaluation": a[0].evaluation})
    if first.task != second.task:
        what = f"a model of task {first.task} and one of task {second.task}"
        raise UserError(what, where=f"{a[1]}, {b[1]}", hint="Name two models of one task")
    task = load_task(first.task)
    for _, export in (a, b):
        read_manifest(export, "export", verify=True)
    sums = task.record_sums(a[1], records, first), task.record_sums(b[1], records, second)
    pairs = {name: (one, sums[1][name]) for name, one in sums[0].items() if name in sums[1]}
    found = [paired(name, *two, first.seed, samples) for name, two in pairs.items() if _same_units(name, *two)]
    if not found:
        what = "no metric of these models can be compared record by record"
        raise UserError(what, where=f"{a[1]}, {b[1]}", hint="Use `lstmlm evaluate` for each of them")
    return found


def paired(name: str, a: RecordSums, b: RecordSums, seed: int, samples: int = SAMPLES) -> Difference:
    """Draws samples of the records with replacement, the same for both models, and measures both on each.

    Args:
        name: The metric.
        a: Sums of one model.
        b: Sums of the other, over the same records.
        seed: Decides the draws.
        samples: Samples that are drawn.
    """
    if len(a.rows) != len(b.rows):
        raise ValueError(f"{len(a.rows)} and {len(b.rows)} records")
    draws, count = np.random.default_rng(seed), len(a.rows)
    values = a.value(a.rows.sum(axis=0)), b.value(b.rows.sum(axis=0))
    differences = np.zeros(samples)
    for n in range(samples):
        times = np.bincount(draws.integers(0, count, count), minlength=count)
        differences[n] = b.value(times @ b.rows) - a.value(times @ a.rows)
    low, high = np.quantile(differences, [0.025, 0.975])
    # Under the hypothesis of no difference, those of samples spread around 0 as they do around their mean.
    spread = np.abs(differences - differences.mean())
    p = (float((spread >= abs(values[1] - values[0])).sum()) + 1) / (samples + 1)
    return Difference(name, a.better, values[0], values[1], float(low), float(high), p)


def _same_units(name: str, a: RecordSums, b: RecordSums) -> bool:
    """Says whether a metric of two models counts the same units; a perplexity per token may not."""
    same = all(a.rows[:, place].sum() == b.rows[:, place].sum() for place in a.same)
    if not same:
        _LOG.warning("%s is left out: the models have different vocabularies", name)
    return same
