"""Keeps the plan of a run, compares it with what the run took, and corrects the rates by that."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmlm.planning.estimate import StagePlan
from lstmlm.planning.outputs import counted
from lstmlm.planning.rates import read_rates, write_rates
from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import read_object

PLAN, FACT = "plan.json", "plan_and_fact.json"
LEAST_SECONDS = 1.0
"""Stages that took less say nothing of a rate."""
LARGEST_FACTOR = 20.0


@dataclasses.dataclass(frozen=True, slots=True)
class Took:
    """What a stage of a run took.

    Attributes:
        stage: Its name.
        seconds: How long it took.
        folder: What it published.
    """

    stage: str
    seconds: float
    folder: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """The plan of a stage and what it came to: seconds, files and bytes of each."""

    stage: str
    planned_seconds: float
    seconds: float
    planned_files: int
    files: int
    planned_bytes: int
    bytes: int


def write_plan(stages: Sequence[StagePlan], folder: Path) -> None:
    """Writes a plan into the folder of its run."""
    _write({"stages": [dataclasses.asdict(one) for one in stages]}, folder / PLAN)


def compare(folder: Path, took: Sequence[Took]) -> list[Compared]:
    """Compares the plan in the folder of a run with what its stages took; empty: there is no plan.

    Writes `plan_and_fact.json`, and corrects the rates next to it, so that the next plan goes by this run.

    Args:
        folder: The folder of the run.
        took: The stages that ran; those whose result was there already are left out.

    Raises:
        UserError: The plan is damaged.
    """
    if not (folder / PLAN).is_file():
        return []
    planned = {one["stage"]: StagePlan(**one) for one in read_object(folder / PLAN, "stages")["stages"]}
    found = [_compared(planned[one.stage], one) for one in took if one.stage in planned]
    if found:
        _write({"stages": [dataclasses.asdict(one) for one in found]}, folder / FACT)
        _correct(folder, found)
    return found


def _compared(planned: StagePlan, took: Took) -> Compared:
    files, size = counted(took.folder)
    return Compared(took.stage, planned.seconds, took.seconds, planned.files, files, planned.bytes, size)


def _correct(folder: Path, found: Sequence[Compared]) -> None:
    """Multiplies the factors of the rates by fact over plan."""
    rates = read_rates(folder)
    if rates is None:
        return
    factors = {**rates.factors}
    for one in found:
        if min(one.seconds, one.planned_seconds) >= LEAST_SECONDS:
            factor = factors.get(one.stage, 1.0) * one.seconds / one.planned_seconds
            factors[one.stage] = min(LARGEST_FACTOR, max(1 / LARGEST_FACTOR, factor))
    write_rates(dataclasses.replace(rates, source="run", factors=factors), folder)


def _write(content: Mapping[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durable=True) as stream:
        stream.write(json.dumps(content, indent=1).encode() + b"\n")
