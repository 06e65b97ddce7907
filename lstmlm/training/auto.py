"""`lstmlm train --auto`: chooses precision, threads and batch by measuring a few real steps of each."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.folder import read_manifest, replacing
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import place
from lstmlm.task import load_task
from lstmlm.training.checks import check_inputs
from lstmlm.training.probe import ProbeResult, probe

WORTH = 1.05
"""A larger batch is chosen only if it is this much faster per token, since it also changes how the model learns."""

Measure = Callable[[Recipe], ProbeResult | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        recipe: The recipe with it.
        fields: Field of `training` -> value, of those that were chosen.
        tried: Every probe: the fields it had, tokens per second and peak memory (0 where it ran out of memory).
    """

    recipe: Recipe
    fields: dict[str, Any]
    tried: list[dict[str, Any]]


def choose(recipe: Recipe, measure: Measure, *, memory: int, cores: int, coarse: bool) -> Choice:
    """Chooses one field after the other: the fastest precision, then threads, then batch within the memory.

    Args:
        recipe: The run. The batch starts from the recipe's and is doubled while that pays.
        measure: Gives the speed of one worker with a recipe.
        memory: Bytes that all workers together may take.
        cores: Cores they share.
        coarse: Whether the processor multiplies in bfloat16.

    Raises:
        UserError: Not even the recipe's own batch fits.
    """
    tried: list[dict[str, Any]] = []
    workers = recipe.training.most_workers
    size = load_task(recipe.task).batch_field

    def speed(**fields: Any) -> float:
        found = measure(_with(recipe, fields))
        fits = found is not None and found.peak_bytes * workers <= memory
        tokens, peak = (found.tokens_per_second, found.peak_bytes) if found else (0.0, 0)
        tried.append(fields | {"tokens_per_second": round(tokens, 1), "peak_mb": peak // 1_000_000, "fits": fits})
        return tokens if fits else 0.0

    chosen: dict[str, Any] = {
        "precision": "float32",
        "threads": max(1, cores // workers),
        size: getattr(recipe.training, size),
    }
    best = speed(**chosen)
    options = [("precision", "bfloat16")] * coarse + [("threads", count) for count in _fewer(chosen["threads"])]
    for field, value in options:
        rate = speed(**chosen | {field: value})
        if rate > best:
            chosen[field], best = value, rate
    if best == 0.0:
        what = f"a batch of {chosen[size]} does not fit into {memory / 1e9:.1f} GB with {workers} workers"
        raise UserError(what, where=f"training.{size}", hint="Lower it, or give more memory with --memory")
    while (rate := speed(**chosen | {size: 2 * chosen[size]})) > WORTH * best:
        chosen[size], best = 2 * chosen[size], rate
    return Choice(_with(recipe, chosen), chosen, tried)


def _fewer(threads: int) -> list[int]:
    """Returns the smaller numbers of threads worth a try: halves."""
    found = []
    while threads > 1:
        threads //= 2
        found.append(threads)
    return found


def _with(recipe: Recipe, fields: dict[str, Any]) -> Recipe:
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=fields)})


def choose_here(
    recipe: Recipe, examples: Path, tokenizer: Path, output: Path, progress: Progress, memory: float | None
) -> Recipe:
    """Chooses for this machine, and writes what it chose and tried to `<output>.auto.json`.

    Where that file is already there its choice is kept, so that a run that is started again stays the same run.

    Args:
        recipe: The run.
        examples: Folder of the examples stage.
        tokenizer: Folder of the tokenizer stage.
        output: Where the model is published.
        progress: Receives each probe.
        memory: GB that all workers together may take; None: four fifths of what is available.

    Returns:
        The recipe with the choice in it.
    """
    report = place(f"{output}.auto.json")
    if report.is_file():
        return _with(recipe, _chosen(report))
    examples, tokenizer = place(examples), place(tokenizer)
    check_inputs(recipe, read_manifest(examples, "examples"), read_manifest(tokenizer, "tokenizer"))
    count = 0

    def measure(candidate: Recipe) -> ProbeResult | None:
        nonlocal count
        settings = candidate.training
        progress.update(
            count, unit="probes", note=f"{settings.precision}, {settings.threads} threads, batch {settings.batch}"
        )
        count += 1
        return probe(candidate, examples, tokenizer)

    choice = choose(
        recipe,
        measure,
        memory=int(memory * 1e9) if memory else int(0.8 * available_memory()),
        cores=len(os.sched_getaffinity(0)),
        coarse=has_bfloat16(),
    )
    content = {"chosen": choice.fields, "tried": choice.tried}
    report.parent.mkdir(parents=True, exist_ok=True)
    with replacing(report, durable=True) as stream:
        stream.write(json.dumps(content, indent=1).encode() + b"\n")
    return choice.recipe


def _chosen(report: Path) -> dict[str, Any]:
    """Reads the choice of an earlier start.

    Raises:
        UserError: It is damaged.
    """
    chosen = read_object(report, "chosen")["chosen"]
    kinds: dict[str, type] = {"precision": str, "threads": int, "batch": int, "batch_tokens": int}
    if not isinstance(chosen, dict) or any(type(value) is not kinds.get(name) for name, value in chosen.items()):
        raise UserError(
            "damaged: the content differs from what was written", where=str(report), hint="Remove it to measure again"
        )
    return chosen


def available_memory() -> int:
    """Returns the bytes of memory that could be taken now."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def has_bfloat16() -> bool:
    """Says whether the processor multiplies bfloat16 itself."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags
