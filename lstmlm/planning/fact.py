"""Keeps the plan of a run, compares it with what the run took, and corrects the rates by that."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmlm.planning.estimate import StagePlan
from lstmlm.planning.outputs import counted
from lstmlm.planning.rates import Rates, read_rates, write_rates
from lstmlm.publish.folder import fingerprint, replacing
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe

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


def plan_key(recipe: Recipe) -> str:
    """Returns what identifies a plan: the recipe, but for the place of its outputs."""
    return fingerprint("plan-1", recipe.model_dump(mode="json", exclude={"output"}))


def write_plan(stages: Sequence[StagePlan], recipe: Recipe, rates: Rates) -> None:
    """Writes a plan into the folder of its run, with the recipe and the rates that it is of."""
    content = {"key": plan_key(recipe), "rates": rates.key, "stages": [dataclasses.asdict(one) for one in stages]}
    _write(content, recipe.run_folder / PLAN)


def compare(recipe: Recipe, took: Sequence[Took]) -> list[Compared]:
    """Compares the plan in the folder of a run with what its stages took.

    Writes `plan_and_fact.json`, and corrects the rates next to it, so that the next plan goes by this run.

    Args:
        recipe: The run.
        took: The stages that ran; those whose result was there already are left out.

    Returns:
        A row for each stage; empty where there is no plan of this very recipe.

    Raises:
        UserError: The plan is damaged.
    """
    folder = recipe.run_folder
    if not (folder / PLAN).is_file():
        return []
    plan = read_object(folder / PLAN, "key", "rates", "stages")
    if plan["key"] != plan_key(recipe):
        return []
    planned = {one["stage"]: StagePlan(**one) for one in plan["stages"]}
    found = [_compared(planned[one.stage], one) for one in took if one.stage in planned]
    if found:
        _write({"stages": [dataclasses.asdict(one) for one in found]}, folder / FACT)
        _correct(read_rates(folder, plan["rates"]), folder, found)
    return found


def _compared(planned: StagePlan, took: Took) -> Compared:
    files, size = counted(took.folder)
    return Compared(took.stage, planned.seconds, took.seconds, planned.files, files, planned.bytes, size)


def _correct(rates: Rates | None, folder: Path, found: Sequence[Compared]) -> None:
    """Multiplies the factors of the rates by fact over plan."""
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
