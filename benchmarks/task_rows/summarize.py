"""Abstracts to titles: the pointer with coverage against the same model without, in the same minutes, and the lead.

Both sides decode with a beam of 5 in which no three tokens occur twice, in float32. The speed is that of the batch
job's predictor on the valid split, both sides by turns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from table import Row, median, row
from task_runs import RECIPES, WORK, Result, run_recipe

RECIPE = RECIPES / "summarize_arxiv.yaml"
HOME = WORK / "summarize"
MINUTES, AIM = 20.0, 0.97
"""Training of each side, and the share of it that the steps are chosen to take."""
PROBE = (20, 60)
"""Steps of the two short trainings whose difference gives the seconds a step."""
TURNS = 3
MOST = 200
"""Records that the speed is measured on."""
SHARED = (
    "training.workers=1",
    "training.threads=2",
    "evaluation.thresholds={}",
    "decoding.precision=float32",
)
SIDES = {
    # The mixture of predicting and copying has no label smoothing; what only predicts is better with it.
    "plain": (
        "model.pointer=false",
        "model.coverage=false",
        "training.coverage_loss=0",
        "training.label_smoothing=0.1",
    ),
    "pointer": (),
}
SMALL = ("model.units=64", "model.encoder_units=32", "model.embedding=64", "evaluation.max_records=40")
BEFORE = ("ingest", "tokenizer", "examples", "train")


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows; see the module."""
    minutes = MINUTES / 60 if quick else MINUTES
    results = {name: _trained(name, changes, minutes, quick) for name, changes in SIDES.items()}
    ours, plain = results["pointer"].metrics, results["plain"].metrics
    what = f"{minutes:.2g} minutes of training"
    bars = (None, None, None, None) if quick else (8.0, 2.0, 0.01, 0.6)
    yield _difference(f"{what}: ROUGE-1 on valid, above that of the lead", ours, "lead_rouge_1", ours, bars[0])
    yield _difference(f"{what}: ROUGE-1 on valid, above that without pointer", ours, "rouge_1", plain, bars[1])
    yield row("repeated trigrams, share", ours["repeated_trigrams"], bar=bars[2], at_most=True, digits=4)
    speeds = _speeds(results, quick)
    name = "records/s of a beam of 5 with pointer and coverage, compared with that without"
    yield row(name, speeds["pointer"], peer=speeds["plain"], ratio=speeds["pointer"] / speeds["plain"], bar=bars[3])


def _difference(name: str, ours: dict[str, float], key: str, theirs: dict[str, float], bar: float | None) -> Row:
    """Returns a row whose bar is on the difference, which `ratio` holds."""
    interval = f"[{ours['rouge_1_low']:.1f}, {ours['rouge_1_high']:.1f}]"
    score, other = ours["rouge_1"], theirs[key]
    return row(f"{name}; interval {interval}", score, peer=other, ratio=score - other, bar=bar)


def _changes(side: Sequence[str], steps: int, quick: bool) -> list[str]:
    every = max(10, steps // 8)
    times = [f"training.steps={steps}", f"training.evaluate_every={every}", f"training.checkpoint_every={every}"]
    return [*SHARED, *times, f"training.warmup={min(200, steps // 4)}", *side, *(SMALL if quick else ())]


def _trained(name: str, side: Sequence[str], minutes: float, quick: bool) -> Result:
    """Trains a side for so many minutes, by the seconds that a step of it takes on this machine."""
    few, many = (
        run_recipe(RECIPE, HOME / f"{name}_{steps}", _changes(side, steps, quick), BEFORE).seconds["train"]
        for steps in PROBE
    )
    step = max(1e-3, (many - few) / (PROBE[1] - PROBE[0]))
    return run_recipe(RECIPE, HOME / name, _changes(side, max(PROBE[1], int(AIM * 60 * minutes / step)), quick))


def _speeds(results: dict[str, Result], quick: bool) -> dict[str, float]:
    """Returns records/s of each side: the median of turns that alternate, after one that warms up."""
    from lstmlm.recipe.file import load_recipe
    from lstmlm.records.shards import records_in
    from lstmlm.task import load_task

    found: dict[str, list[float]] = {name: [] for name in results}
    predictors = {}
    for name, result in results.items():
        recipe = load_recipe(RECIPE, _changes(SIDES[name], 100, quick))
        predictors[name] = load_task(recipe.task).predictor(Path(result.folder / "export"), recipe)
    records = list(records_in(results["plain"].folder / "ingest", "valid"))[:MOST]
    requests = [{"source": record.source} for record in records]
    for turn in range(TURNS + 1):
        for name, predictor in predictors.items():
            started = time.perf_counter()
            predictor.predict(requests, [0] * len(requests))
            if turn:
                found[name].append(len(requests) / (time.perf_counter() - started))
    return {name: median(speeds) for name, speeds in found.items()}
