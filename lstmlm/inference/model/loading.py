"""Loads an export folder for decoding: by the engine, or where it was made without one, by its SavedModel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.model.served import Output, ServedModel
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.task import Task
from lstmlm.tokenizer.identity import stored_vocabulary_facts
from lstmlm.training.checkpoints.identity import differences

ENGINE_FACTS = "engine"
"""Key of `model.json` that holds what the engine needs to know of the model."""
DECODING_FACTS = "decoding"
"""Key of `model.json` that holds the recipe's section, for a model beyond the engine."""
MODELS_FIELD = "inference.models"


class TextModel(Protocol):
    """A published model: texts in, texts out. An output depends only on its text and seed."""

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: Meter | None = None) -> list[Output]:
        """Decodes texts, with a seed for each, below 2**63; returns one output a text, in their order."""

    def failures(self) -> tuple[type[Exception], ...]:
        """Returns the exception types that one bad input can cause: they cost that record, others end the job."""


def load_text_model(
    folder: Path,
    *,
    threads: int | None = None,
    decoding: DecodingSection | None = None,
    task: Task | None = None,
    models: Sequence[Path] = (),
) -> TextModel:
    """Verifies and loads an export folder.

    Args:
        folder: The export folder.
        threads: Threads to compute with.
        decoding: How to decode; None: as the recipe of the export said.
        task: The recipe's task; None: the one whose name the export holds.
        models: Export folders of models that decode together with it; see `lstmlm.decoding.ensemble`.

    Raises:
        UserError: Not a finished export, one that lacks something, or see `check_served_so` and `check_members`.
    """
    read_manifest(folder, "export", verify=True)
    facts = engine_facts(folder)
    check_members(folder, models)
    if facts is None:
        if decoding is not None:
            check_served_so(folder, decoding)
        return ServedModel(folder, threads=threads)
    from lstmlm.inference.model.engine_model import EngineModel

    members = [(model, _engine_of(model)) for model in models]
    return EngineModel(folder, facts, threads=threads or 1, decoding=decoding, task=task, members=members)


def engine_facts(folder: Path) -> dict[str, Any] | None:
    """Returns what `lstmlm.export` wrote for the engine; None for an export that has only a SavedModel."""
    facts: dict[str, Any] | None = _model_facts(folder).get(ENGINE_FACTS)
    return facts


def _model_facts(folder: Path) -> dict[str, Any]:
    path = folder / "model.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}  # the SavedModel's loader says what is wrong
    return content if isinstance(content, dict) else {}


def check_served_so(folder: Path, decoding: DecodingSection) -> None:
    """Refuses to decode a model beyond the engine, whose SavedModel has the way to decode built in, in another way.

    Raises:
        UserError: It names the fields that differ.
    """
    built_in = _model_facts(folder).get(DECODING_FACTS)
    if built_in is None:
        return
    exported = DecodingSection.model_validate(built_in, context=FROM_DATA).model_dump(mode="json")
    if changed := "; ".join(differences(exported, decoding.model_dump(mode="json"), "decoding.")):
        what = f"this SavedModel has its decoding options built in, but {changed}"
        raise UserError(what, where=str(folder), hint="Export it again with this recipe")


def check_engine(folder: Path, columns: Mapping[str, str]) -> None:
    """Refuses constraints of single records where only a SavedModel decodes.

    Args:
        folder: The export folder.
        columns: See `InferenceSection.constraint_columns`.

    Raises:
        UserError: It names the first field.
    """
    if columns and engine_facts(folder) is None:
        what = f"{folder} has only a SavedModel, which follows no constraints of single records"
        raise UserError(what, where=f"inference.{next(iter(columns))}", hint="Leave it out, or export again")


def check_task(folder: Path, task: str) -> None:
    """Compares the task of an export folder with that of the recipe.

    Raises:
        UserError: They differ.
    """
    facts = engine_facts(folder)
    if facts is not None and facts["task"] != task:
        hint = "Name the export of this recipe, or the recipe of this export"
        what = f"the export is for task `{facts['task']}`, but the recipe's task is `{task}`"
        raise UserError(what, where=str(folder), hint=hint)


def check_members(export: Path, models: Sequence[Path]) -> None:
    """Refuses, before any work, models that cannot decode together with an export.

    Raises:
        UserError: One is not a finished export, has only a SavedModel, or is of another task, another direction or
            another vocabulary; both are named.
    """
    if not models:
        return
    task, direction, vocabulary = _identity(export)
    for model in models:
        other_task, other_direction, other_vocabulary = _identity(model)
        if (other_task, other_direction) != (task, direction):
            what = f"{model} is of task `{other_task}` ({other_direction}), and {export} of `{task}` ({direction})"
            raise UserError(what, where=MODELS_FIELD, hint="Name exports of one task")
        if other_vocabulary != vocabulary:
            what = f"an ensemble has one vocabulary: {model} has {other_vocabulary}, and {export} has {vocabulary}"
            raise UserError(what, where=MODELS_FIELD, hint="Train the models with the same tokenizer folder")


def member_stamp(models: Sequence[Path]) -> list[str]:
    """Returns what identifies the further models.

    Raises:
        UserError: One is not a finished export.
    """
    return [read_manifest(model, "export").fingerprint for model in models]


def _identity(folder: Path) -> tuple[str, str, str]:
    """Returns the task, the direction, and the digest of the vocabulary of an export."""
    manifest, facts = read_manifest(folder, "export", verify=True), _engine_of(folder)
    known = stored_vocabulary_facts(manifest, facts.get("vocabulary")) or {}
    return str(facts["task"]), str(facts.get("direction", "forward")), str(known.get("fingerprint", "none"))[:12]


def _engine_of(folder: Path) -> dict[str, Any]:
    facts = engine_facts(folder)
    if facts is None:
        what = f"{folder} has only a SavedModel, which decodes in no ensemble"
        raise UserError(what, where=MODELS_FIELD, hint="Leave it out, or export a model that the engine decodes")
    return facts
