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
