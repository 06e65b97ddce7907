"""Shows the results of a run: metrics, sample outputs and the verdict of the evaluation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.cli.console import Screen
from lstmlm.errors import UserError
from lstmlm.evaluation.thresholds import check_verdict
from lstmlm.publish.folder import Manifest
from lstmlm.publish.manifest import content_folder, read_object

SAMPLES = 5
_ELSEWHERE = ("warnings", "metrics", "failures")
"""Facts that are warned of, or shown as the verdict of an evaluation."""


def show_facts(screen: Screen, manifest: Manifest) -> None:
    """Shows the counts and other facts of a folder, nested ones as `outer.inner`, but for what is shown elsewhere."""
    facts = dict(_flat({name: value for name, value in manifest.facts.items() if name not in _ELSEWHERE}))
    if facts:
        screen.pairs("fact", facts)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def show_metrics(screen: Screen, evaluation: Path) -> dict[str, Any]:
    """Shows the metrics of an evaluation folder and its warnings, and returns the whole verdict."""
    verdict = read_object(content_folder(evaluation) / "metrics.json", "metrics", "failures", "blessed")
    screen.pairs("metric", verdict["metrics"])
    for warning in verdict.get("warnings", ()):
        screen.warn(f"warning: {warning}")
    return verdict


def show_verdict(screen: Screen, evaluation: Path) -> None:
    """Shows the metrics of an evaluation folder.

    Raises:
        BelowThreshold: The model was not blessed; names every metric outside its bounds.
    """
    check_verdict(show_metrics(screen, evaluation), evaluation)


def show_decoded(screen: Screen, predictions: Path, format: str, metrics: Path) -> None:
    """Shows how fast the job was that made a predictions folder, and its first outputs."""
    if metrics.is_file():
        screen.pairs("speed", read_object(metrics))
    show_outputs(screen, predictions, format)


def show_outputs(screen: Screen, predictions: Path, format: str) -> None:
    """Shows the first outputs of a predictions folder; `format`: as in `inference.format`."""
    from lstmlm.inference.output.format import output_format
    from lstmlm.inference.output.lines import json_line

    files = sorted(content_folder(predictions).glob("predictions-*"))
    rows = itertools.chain.from_iterable(map(output_format(format).read, files))
    try:
        for row in itertools.islice(rows, SAMPLES):
            screen.line(json_line(row))
    except (ValueError, OSError) as error:
        hint = "Remove the folder and decode again"
        raise UserError("damaged: the outputs cannot be read", where=str(predictions), hint=hint) from error
