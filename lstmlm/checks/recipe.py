"""Checks a whole recipe before any work: its fields, what its task has, and the files that it names.

Nothing here imports TensorFlow, Beam, Ray or TFX: a mistyped recipe is reported at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.checks.files import (
    decontamination_faults,
    earlier_faults,
    file_faults,
    inference_faults,
    tokenizer_faults,
)
from lstmlm.checks.needs import CORPUS, EARLIER, EXPORT, INFERENCE, TOKENIZER
from lstmlm.corpus.steps.quality.rule_set import rule_set
from lstmlm.errors import UserError
from lstmlm.evaluation.metric import METRICS, bounds_of
from lstmlm.evaluation.thresholds import bound_faults
from lstmlm.recipe.faults import Fault, Key
from lstmlm.recipe.file import ParsedRecipe, draft_recipe, read_text
from lstmlm.recipe.plan import plan_faults
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.cluster import DEFAULT
from lstmlm.recipe.sections.section import Section
from lstmlm.stages import pipeline_stages
from lstmlm.task import Task, load_task
from lstmlm.training.metrics.objective import SCORED


def checked_recipe(path: Path, overrides: Sequence[str] = (), needs: Sequence[str] = ()) -> Recipe:
    """Reads a recipe and checks it.

    Args:
        path: The recipe.
        overrides: `section.field=value` strings.
        needs: What the command works with: see `lstmlm.checks.needs`.

    Raises:
        UserError: Something is wrong; a line for each fault, with file, line, field and what to do.
    """
    return checked(draft_recipe(read_text(path), str(path), overrides), needs)


def checked(draft: ParsedRecipe, needs: Sequence[str] = ()) -> Recipe:
    """Checks a recipe that was read; see `checked_recipe`."""
    if draft.recipe is not None:
        for fault in _plan_faults(draft, draft.recipe, needs):
            draft.add(fault)
    if draft.faults or draft.recipe is None:
        raise draft.error()
    return draft.recipe


def _plan_faults(draft: ParsedRecipe, recipe: Recipe, needs: Sequence[str]) -> Iterator[Fault]:
    task: Task | None = None
    if draft.is_sound("task"):
        try:
            task = load_task(recipe.task)
        except UserError as error:
            yield Fault(("task",), error.what, error.hint)
    if task is not None:
        yield from _target_faults(draft, recipe, task)
        yield from _metric_faults(draft, recipe, task)
        yield from _other_task_faults(draft, recipe, task)
    limits = bounds_of([*METRICS.builtin(), *recipe.evaluation.metrics]) if draft.is_sound("evaluation.metrics") else {}
    for name, bounds in recipe.evaluation.thresholds.items():
        if draft.is_sound(f"evaluation.thresholds.{name}"):
            found = bound_faults(bounds, limits.get(name))
            yield from (Fault(("evaluation", "thresholds", name), *texts) for texts in found)
    yield from _language_faults(recipe)
    yield from _cluster_faults(recipe)
    yield from plan_faults(draft, recipe)
    if task is not None and EXPORT in needs and draft.is_sound("decoding", "model"):
        yield from _decoding_faults(recipe, task)
    if CORPUS in needs:
        yield from file_faults(draft, recipe)
        yield from decontamination_faults(draft, recipe)
    if TOKENIZER in needs and draft.is_sound("tokenizer"):
        yield from tokenizer_faults(recipe)
        if task is not None and EXPORT in needs:
            yield from _given_faults(recipe, task)
    if EARLIER in needs and draft.is_sound("training.initial", "model"):
        yield from earlier_faults(recipe)
    if INFERENCE in needs and draft.is_sound("inference", "corpus.root"):
        yield from inference_faults(recipe)


def _given_faults(recipe: Recipe, task: Task) -> Iterator[Fault]:
    given = recipe.tokenizer.model
    if given is not None and given.suffix == ".json" and not task.takes_ids(recipe):
        what = f"task {recipe.task} finds places in texts inside the exported graph, which {given} cannot be a part of"
        yield Fault(("tokenizer", "model"), what, "Name a SentencePiece .model, or have a vocabulary trained")


def _target_faults(draft: ParsedRecipe, recipe: Recipe, task: Task) -> Iterator[Fault]:
    corpus = recipe.corpus
    if task.has_targets and corpus.target is None and draft.is_sound("corpus.target"):
        what = f"task {recipe.task} needs pairs, but the recipe does not name the column of their output text"
        yield Fault(("corpus", "target"), what, "Add `target: COLUMN` in the section `corpus`")
    if task.has_targets and corpus.target == corpus.source and draft.is_sound("corpus.target", "corpus.source"):
        what = f"input and output text are both the column {corpus.source!r}"
        yield Fault(("corpus", "target"), what, "Name the column of the output text")
    for field in ("target_languages", "quality"):
        compared = [name for name in corpus.quality if rule_set(name).compares_targets]
        asks = compared if field == "quality" else corpus.target_languages
        if not task.has_targets and asks and draft.is_sound(f"corpus.{field}"):
            what = f"task {recipe.task} has no targets" + (
                f", which `{compared[0]}` compares" if field == "quality" else ""
            )
            yield Fault(("corpus", field), what, "Leave it out, or take a task of pairs")


def _metric_faults(draft: ParsedRecipe, recipe: Recipe, task: Task) -> Iterator[Fault]:
    metric, trained_by = recipe.training.metric, [*SCORED, *task.training_metrics(recipe)]
    if metric not in trained_by and draft.is_sound("training.metric"):
        what = f"task `{recipe.task}` has no training metric {metric!r}"
        yield Fault(("training", "metric"), what, _nearest(metric, trained_by))
    measured = task.measured(recipe)
    for name in recipe.evaluation.thresholds:
        if name not in measured:
            what = f"task `{recipe.task}` has no evaluation metric {name!r}"
            yield Fault(("evaluation", "thresholds", name), what, _nearest(name, measured))


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(known)}"


def _other_task_faults(draft: ParsedRecipe, recipe: Recipe, task: Task) -> Iterator[Fault]:
    """Yields what is set and has no effect in this task."""
    for field, kind in task.unused_fields().items():
        key: Key = tuple(field.split("."))
        given = key in draft.set or key in draft.lines  # a preset may set it for the other kind of task
        if given and draft.is_sound(field) and _differs(recipe, key):
            yield Fault(key, f"only for {kind}, and the task is {recipe.task}", "Leave it out")


def _differs(recipe: Recipe, key: Key) -> bool:
    section: Any = recipe
    for name in key[:-1]:
        section = getattr(section, str(name))
    assert isinstance(section, Section)
    return bool(getattr(section, str(key[-1])) != type(section).model_fields[str(key[-1])].default)


def _language_faults(recipe: Recipe) -> Iterator[Fault]:
    from lstmlm.corpus.steps.language_codes import LANGUAGES

    for field in ("languages", "target_languages"):
        for place, code in enumerate(getattr(recipe.corpus, field)):
            if code not in LANGUAGES:
                base = code.lower().replace("_", "-").partition("-")[0]
                hint = f"Write `{base}`" if base in LANGUAGES else "Use ISO 639-1, two letters, such as `en`"
                yield Fault(("corpus", field, place), f"no language has the code {code!r}", hint)


def _cluster_faults(recipe: Recipe) -> Iterator[Fault]:
    known = [DEFAULT, *(stage.name for stage in pipeline_stages())]
    for name in recipe.cluster.stages:
        if name not in known:
            yield Fault(("cluster", "stages", name), f"no stage has the name {name!r}", _nearest(name, known))


def _decoding_faults(recipe: Recipe, task: Task) -> Iterator[Fault]:
    yield from refused(lambda: task.check_recipe(recipe))


def refused(check: Callable[[], object], key: Key = ()) -> Iterator[Fault]:
    """Yields what a check refuses; `key` is the field where the error names none."""
    try:
        check()
    except UserError as error:
        named = tuple(error.where.split(".")) if error.where.split(".")[0] in Recipe.model_fields else ()
        what = error.what if named or not error.where else f"{error.where}: {error.what}"
        yield Fault(named or key, what, error.hint)
