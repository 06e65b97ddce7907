"""Checks fields of a recipe against each other, and rejects values that can have no effect."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lstmlm.recipe.faults import Fault, Key
from lstmlm.recipe.file import ParsedRecipe
from lstmlm.recipe.recipe import Recipe


def plan_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    """Yields what the sections `training` and `model` ask for and no run of this length and vocabulary can do.

    Only fields that the recipe or `--set` gives: a preset is made for longer runs.
    """
    yield from _warmup_faults(draft, recipe)
    yield from _evaluation_faults(draft, recipe)
    yield from _cutoff_faults(draft, recipe)
    yield from _gate_faults(draft, recipe)


def _is_given(draft: ParsedRecipe, key: Key) -> bool:
    return (key in draft.lines or key in draft.set) and draft.is_sound(".".join(map(str, key)))


def _warmup_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    key: Key = ("training", "warmup")
    warmup, steps = recipe.training.warmup, recipe.training.steps
    if _is_given(draft, key) and draft.is_sound("training.steps") and warmup > steps:
        what = f"{warmup} steps of warm-up, and training.steps is {steps}: the learning rate would not reach its peak"
        yield Fault(key, what, f"Set it to at most {steps}")


def _evaluation_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    training = recipe.training
    if not draft.is_sound("training.steps", "training.evaluate_every"):
        return
    evaluations = math.ceil(training.steps / training.evaluate_every)
    times = "once" if evaluations == 1 else f"{evaluations} times"
    of_plan = f"training evaluates {times}, every {training.evaluate_every} of {training.steps} steps"
    stop: Key = ("training", "early_stop")
    if training.early_stop is not None and _is_given(draft, stop) and training.early_stop >= evaluations:
        what = f"{of_plan}: {training.early_stop} in a row after the best would not end it early"
        most = f"Set it to at most {evaluations - 1}, or lower" if evaluations > 1 else "Lower"
        yield Fault(stop, what, f"{most} training.evaluate_every")
    best: Key = ("training", "keep_best")
    if _is_given(draft, best) and training.keep_best > evaluations:
        what = f"{of_plan}: there are no {training.keep_best} evaluations to keep the best of"
        yield Fault(best, what, f"Set it to at most {evaluations}, or lower training.evaluate_every")


def _cutoff_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    key: Key = ("model", "cutoffs")
    cutoffs, vocabulary = recipe.model.cutoffs, recipe.tokenizer.vocabulary
    if not cutoffs or not _is_given(draft, key) or not draft.is_sound("model.softmax"):
        return
    if recipe.model.softmax == "full":
        yield Fault(key, "only for model.softmax=adaptive, and it is full", "Leave it out, or set model.softmax")
    elif recipe.tokenizer.model is None and draft.is_sound("tokenizer") and max(cutoffs) >= vocabulary:
        what = f"{max(cutoffs)} is beyond the vocabulary, and tokenizer.vocabulary is {vocabulary}"
        yield Fault(key, what, f"Set each to less than {vocabulary}")


def _gate_faults(draft: ParsedRecipe, recipe: Recipe) -> Iterator[Fault]:
    for name, bounds in recipe.evaluation.thresholds.items():
        if bounds.worse is not None and recipe.evaluation.against is None and draft.is_sound("evaluation"):
            what = "bounds what is lost compared with evaluation.against, which is not given"
            yield Fault(("evaluation", "thresholds", name, "worse"), what, "Set evaluation.against to last_blessed")
