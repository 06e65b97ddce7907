"""The recipe that an export was made with, read as data: nothing that a model folder names is imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.inference.model.backend_kind import refuse_code
from lstmlm.inference.model.loading import DECODING_FACTS, ENGINE_FACTS
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA, names_code
from lstmlm.recipe.wording import faults_of
from lstmlm.task import stored_task

BUILT_IN = ("backend", "precision", "slots")
"""Fields of `decoding` that a loaded model does not change."""


def stored_recipe(export: Path, decoding: Mapping[str, Any] | None = None) -> Recipe:
    """Returns the recipe of an export.

    Args:
        export: The export folder.
        decoding: Fields of `decoding` that replace those of the export.

    Raises:
        UserError: The export does not say how it was trained, it names code, or a field is unknown or wrong.
    """
    facts = read_object(export / "model.json")
    if not isinstance(facts.get("recipe"), dict):
        what = "the export does not say how its model was trained"
        raise UserError(what, where=str(export), hint="Train and export it with this version, or give its recipe")
    before = decoding_of(facts)
    if "backend" not in (decoding or {}):
        refuse_code(before.backend)
    asked = {**before.model_dump(mode="json"), **(decoding or {})}
    try:
        stored = {**facts["recipe"], "corpus": _without_code(facts["recipe"].get("corpus")), "decoding": asked}
        recipe = Recipe.model_validate(stored, context=FROM_DATA)
    except ValidationError as error:
        lines = [f"{fault.field}: {fault.what}. {fault.hint}" for fault in faults_of(error)]
        raise UserError("\n".join(lines)) from error
    stored_task(recipe.task)
    return recipe


def recipe_decoding_as(recipe: Recipe, fields: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of a loaded model with other fields of `decoding`.

    Raises:
        UserError: A field is unknown or wrong, or what the loaded model has built in.
    """
    before = recipe.decoding
    try:
        found = DecodingSection.model_validate({**before.model_dump(mode="json"), **fields}, context=FROM_DATA)
    except ValidationError as error:
        lines = [f"decoding.{fault.field}: {fault.what}. {fault.hint}" for fault in faults_of(error)]
        raise UserError("\n".join(lines)) from error
    for name in BUILT_IN:
        if getattr(found, name) != getattr(before, name):
            what = f"decided when the model is loaded, and is {getattr(before, name)}"
            raise UserError(what, where=f"decoding.{name}", hint="Load the model with it")
    return recipe.model_copy(update={"decoding": found})


def _without_code(corpus: Any) -> Any:
    """Returns a `corpus` section without the names of code of other packages, which only a recipe may give."""
    if not isinstance(corpus, dict):
        return corpus
    found = {**corpus, "filters": []}
    for field in ("readers", "quality"):
        if isinstance(corpus.get(field), list):
            found[field] = [name for name in corpus[field] if not names_code(str(name))]
    privacy = corpus.get("privacy")
    if isinstance(privacy, dict) and isinstance(privacy.get("kinds"), list):
        found["privacy"] = {**privacy, "kinds": [kind for kind in privacy["kinds"] if not names_code(str(kind))]}
    return found


def decoding_of(facts: Mapping[str, Any]) -> DecodingSection:
    """Returns the `decoding` section that an export was made with, from its `model.json`."""
    found = (facts.get(ENGINE_FACTS) or {}).get("decoding") or facts.get(DECODING_FACTS) or {"batch": facts["batch"]}
    return DecodingSection.model_validate(found, context=FROM_DATA)
