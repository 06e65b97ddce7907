"""Compares metrics with the bounds that the recipe sets."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.errors import BelowThreshold, UserError
from lstmlm.recipe.sections.evaluation import Threshold


def failures(metrics: Mapping[str, Any], thresholds: Mapping[str, Threshold]) -> list[str]:
    """Returns one sentence for every bound that is not kept; none means that the model may be pushed.

    A metric that was not measured, is not a number or is not finite fails too.

    Args:
        metrics: Metric name -> number or text.
        thresholds: Metric name -> bounds, both inclusive.
    """
    found = (_failure(name, bounds, metrics) for name, bounds in sorted(thresholds.items()))
    return [sentence for sentence in found if sentence]


def _failure(name: str, bounds: Threshold, metrics: Mapping[str, Any]) -> str:
    if name not in metrics:
        return f"{name} was not measured; {_suggest(name, metrics)}"
    value = metrics[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{name} is not a number but {value!r}, so no bound can be set on it"
    if not math.isfinite(value):
        return f"{name} is {value}, not a finite number"
    if bounds.min is not None and value < bounds.min:
        return f"{name} is {value:.6g}, below the minimum of {bounds.min:.6g}"
    if bounds.max is not None and value > bounds.max:
        return f"{name} is {value:.6g}, above the maximum of {bounds.max:.6g}"
    return ""


def check_bounds(thresholds: Mapping[str, Threshold], limits: Mapping[str, tuple[float, float]] | None = None) -> None:
    """Refuses bounds that say nothing or can never be kept, before anything is measured.

    Args:
        thresholds: Metric name -> bounds.
        limits: Metric name -> the least and the largest value that it can have, where these are known.

    Raises:
        UserError: Names the threshold at fault.
    """
    for name, bounds in sorted(thresholds.items()):
        for what, hint in bound_faults(bounds, (limits or {}).get(name)):
            raise UserError(what, where=f"evaluation.thresholds.{name}", hint=hint)


def bound_faults(bounds: Threshold, limits: tuple[float, float] | None = None) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with the bounds of a metric, whose values are within limits, and what to do."""
    least, most = limits or (-math.inf, math.inf)
    given = [value for value in (bounds.min, bounds.max) if value is not None]
    if not given and bounds.worse is None:
        yield "the threshold has no bound", "Give `min`, `max` or `worse`, or remove it"
    elif not all(math.isfinite(value) for value in given):
        yield "the bound is not a finite number", "Give a number, or leave the bound out"
    elif bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        yield f"min {bounds.min} is above max {bounds.max}", "Swap or correct them"
    elif (bounds.min is not None and bounds.min > most) or (bounds.max is not None and bounds.max < least):
        yield "no value can be within the bounds", f"Its values are {least:g} to {most:g}: correct them"


def _suggest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(names)}" if names else "nothing was measured"


def check_verdict(verdict: Mapping[str, Any], evaluation: Path) -> None:
    """Refuses to continue after an evaluation that failed.

    Args:
        verdict: What `metrics.json` of the evaluation holds.
        evaluation: Its folder.

    Raises:
        BelowThreshold: The model was not blessed; names every metric outside its bounds.
    """
    if not verdict["blessed"]:
        what = f"not good enough to be pushed: {'; '.join(map(str, verdict['failures']))}"
        raise BelowThreshold(what, where=str(evaluation), hint="Train longer or loosen evaluation.thresholds")
