"""Metrics of texts that a model wrote, and how one is found by its name.

Light to import: a recipe is checked with it. What computes is imported where it is used.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from lstmlm.plugins import Registry
from lstmlm.records.sums import RecordSums
from lstmlm.task import Better

References = Sequence[Sequence[str]]
"""For each output, its accepted texts."""


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a model wrote, and what it is compared with.

    Attributes:
        texts: One text per source; at least one.
        references: For each output, its accepted texts; their number may differ.
        sources: What the outputs were made of.
        language: Language of the outputs, ISO 639-1; None: it is not known.
        seed: Decides what is drawn, such as the samples of an interval; None: nothing is to be drawn.
    """

    texts: Sequence[str]
    references: References
    sources: Sequence[str]
    language: str | None = None
    seed: int | None = None


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Texts that are written without a model: a metric of them is measured too, and a model should be better.

    Attributes:
        prefix: Put before the name of a metric, as in `copy_bleu`.
        words: What it is, for messages.
        outputs: Makes the texts, of the sources and the references.
    """

    prefix: str
    words: str
    outputs: Callable[[Sequence[str], References], Sequence[str]]


class TextMetric(abc.ABC):
    """A metric of outputs: one number or several, and perhaps a signature that says how they were computed.

    Attributes:
        values: The numbers that it gives, by name, and which value of each is better.
        drawn: Further numbers that it gives where there is a seed, such as the ends of an interval.
        bounds: The least and the largest value that all of these can have.
        baseline: What it is compared with; None: nothing.
        version: Part of the fingerprint of an evaluation, for metrics of other packages.
    """

    values: ClassVar[Mapping[str, Better]]
    drawn: ClassVar[tuple[str, ...]] = ()
    bounds: ClassVar[tuple[float, float]] = (0.0, 100.0)
    baseline: ClassVar[Baseline | None] = None
    version: ClassVar[str] = "1"

    @abc.abstractmethod
    def measure(self, outputs: Outputs) -> Mapping[str, float | str]:
        """Measures outputs.

        Returns:
            Each of `values`, with a seed each of `drawn`; and texts, such as a signature, by names of their own.
        """

    def sums(self, outputs: Outputs) -> Mapping[str, RecordSums]:
        """Returns what `values` are computed from, for `lstmlm compare`; none: it is not computed from sums."""
        return {}


METRICS = Registry(
    "lstmlm.metrics",
    TextMetric,  # type: ignore[type-abstract]
    "METRIC",
    "lstmlm.evaluation.metrics",
)


def text_metric(name: str) -> TextMetric:
    """Returns a metric that a recipe names in `evaluation.metrics`; see `Registry.load`."""
    return METRICS.load(name)


def measure_texts(names: Iterable[str], outputs: Outputs, *, baselines: bool = True) -> dict[str, float | str]:
    """Measures outputs by several metrics, and their baselines.

    Args:
        names: The metrics.
        outputs: What is measured.
        baselines: Whether the baselines are measured too, by the names of `with_baselines`.

    Raises:
        ValueError: The outputs are none, or not as many as the references.
    """
    texts, references = outputs.texts, outputs.references
    if len(texts) != len(references) or not texts or not all(references):
        raise ValueError(f"{len(texts)} outputs, {len(references)} lists of references; each needs one text at least")
    found: dict[str, float | str] = {}
    for metric in map(text_metric, names):
        found |= metric.measure(outputs)
        if baselines and metric.baseline is not None:
            others = dataclasses.replace(outputs, texts=metric.baseline.outputs(outputs.sources, references))
            numbers = metric.values.keys() | set(metric.drawn)
            measured = {name: value for name, value in metric.measure(others).items() if name in numbers}
            found |= {f"{metric.baseline.prefix}_{name}": value for name, value in measured.items()}
    return found


def values_of(names: Iterable[str]) -> dict[str, Better]:
    """Returns the numbers that metrics give, and which value of each is better."""
    return {value: better for name in names for value, better in text_metric(name).values.items()}


def baselines_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns the numbers that metrics give, each with that of its baseline where there is one."""
    found = (text_metric(name) for name in names)
    return {value: (f"{one.baseline.prefix}_{value}",) for one in found if one.baseline for value in one.values}


def with_baselines(names: Iterable[str]) -> list[str]:
    """Returns the numbers that `measure_texts` gives: those of metrics, then those of their baselines."""
    found = [(metric, [*metric.values, *metric.drawn]) for metric in map(text_metric, names)]
    own = [name for _, numbers in found for name in numbers]
    return [*own, *(f"{one.baseline.prefix}_{name}" for one, numbers in found if one.baseline for name in numbers)]


def bounds_of(names: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Returns the least and the largest value of each number of `with_baselines`."""
    return {value: text_metric(name).bounds for name in names for value in with_baselines([name])}


def baseline_words(names: Iterable[str]) -> dict[str, str]:
    """Returns the numbers of baselines, each with what was measured."""
    found = (text_metric(name) for name in names)
    return {
        f"{one.baseline.prefix}_{value}": one.baseline.words for one in found if one.baseline for value in one.values
    }
