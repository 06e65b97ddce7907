"""Rows of question answering: SQuAD and DRCD (re-split) against the sliding window, and bAbI 1.

The sliding window (`window_f1`) is measured on the same questions in the same run. Offsets are the places of the batch
job's answers over the original file: every one must be the answer's own text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from documents import CORPORA
from table import Row, row
from task_runs import RECIPES, WORK, Result, run_recipe

QUICK = ("training.steps=20", "training.evaluate_every=20", "evaluation.max_records=50", "inference.max_records=50")
NO_BARS = ("evaluation.thresholds={}",)


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows; a quick run trains for seconds and has no bars."""
    yield from _extractive("squad", "squad_v1_dev", {"f1": 42, "exact": 30}, quick)
    yield from _extractive("drcd", "drcd_zh_hant", {}, quick)
    found = _run("babi", quick)
    yield row("bAbI 1: exact, %", found.metrics["exact"], bar=None if quick else 99.5, digits=2)


def _extractive(name: str, corpus: str, bars: dict[str, float], quick: bool) -> Iterator[Row]:
    found = _run(name, quick)
    metrics = found.metrics
    minutes = found.seconds.get("train", 0.0) / 60
    yield row(f"{corpus}: minutes of training", minutes, bar=None if quick else 45, at_most=True, digits=1)
    for metric in ("f1", "exact"):
        yield row(f"{corpus}: {metric}, %", metrics[metric], bar=None if quick else bars.get(metric), digits=1)
    gain = metrics["f1"] - metrics["window_f1"]
    peer = metrics["window_f1"]
    yield row(f"{corpus}: F1 above the sliding window's", gain, peer=peer, bar=None if quick else 15, digits=1)
    yield row(f"{corpus}: calibration error", metrics["calibration_error"], digits=3)
    int8 = run_recipe(
        RECIPES / f"{name}.yaml",
        found.folder / "int8",
        ["decoding.precision=int8", *NO_BARS, *_quick(quick)],
        ["infer"],
        found,
    )
    same = [a["answer"] == b["answer"] for a, b in zip(found.predictions, int8.predictions, strict=True)]
    yield row(f"{corpus}: answers that int8 and float32 share, %", 100.0 * sum(same) / len(same), digits=1)
    yield row(f"{corpus}: offsets that are exact, %", _offsets(found, corpus), bar=100, digits=2)


def _run(name: str, quick: bool) -> Result:
    changes = ["training.workers=1", "training.threads=2", *_quick(quick), *NO_BARS]
    return run_recipe(RECIPES / f"{name}.yaml", WORK / f"{name}{'-quick' if quick else ''}", changes)


def _quick(quick: bool) -> tuple[str, ...]:
    return QUICK if quick else ()


def _offsets(found: Result, corpus: str) -> float:
    """Returns the share of answers, in percent, that the original file has at their places."""
    with (CORPORA / corpus / "valid.jsonl").open(encoding="utf-8") as lines:
        contexts = {line["id"]: line["context"] for line in map(json.loads, lines)}
    right = [contexts[one["id"]][one["start"] : one["end"]] == one["answer"] for one in found.predictions]
    return 100.0 * sum(right) / len(right)
