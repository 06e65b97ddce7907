"""`config.json` and `generation_config.json`: what a model of this project is, in the hub's words and in its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.publish.manifest import read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.task import stored_task
from lstmlm.tokenizer.special import BEGIN, END, PAD

CONFIG_FILE, GENERATION_FILE = "config.json", "generation_config.json"
MODEL_TYPE = "lstmlm"
OWN = "lstmlm"
"""Key of `config.json` that holds what this project needs to make an export again."""
FORM = 1
"""Version of what is below `OWN`."""
_SPECIAL = {"pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END}
_PLACES = (("corpus", "root"), ("training", "initial"), ("training", "mlflow"))
"""Fields of a recipe that name places on the machine it ran on: these stay there."""


def config(
    facts: Mapping[str, Any], decoding: DecodingSection, labels: tuple[str, ...], valid_loss: Any
) -> dict[str, Any]:
    """Returns the content of `config.json`.

    Args:
        facts: The content of the export's `model.json`.
        decoding: How the export decodes.
        labels: The labels of its task, in the order of their numbers.
        valid_loss: The loss on the valid split, as the manifest of the export has it.
    """
    recipe = without_places(facts["recipe"])
    network = recipe["model"]
    has_pairs = stored_task(recipe["task"]).has_targets
    own = {"form": FORM, "recipe": recipe, "decoding": decoding.model_dump(mode="json"), "valid_loss": valid_loss}
    numbered = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    return {
        "model_type": MODEL_TYPE,
        "architectures": ["LstmSequenceToSequence" if has_pairs else "LstmModel"],
        "is_encoder_decoder": has_pairs,
        "dtype": "float32",
        "vocab_size": int(facts["vocabulary"]),
        "embedding_size": network["embedding"],
        "hidden_size": network["units"],
        "num_hidden_layers": network["layers"],
        **_SPECIAL,
        **(numbered if labels else {}),
        OWN: own,
    }


def generation_config(decoding: DecodingSection) -> dict[str, Any]:
    """Returns the content of `generation_config.json`: the `decoding` section in the words of `transformers`."""
    sampled = decoding.method == "sample"
    found: dict[str, Any] = {
        "max_new_tokens": decoding.max_tokens,
        "min_new_tokens": decoding.min_tokens,
        "no_repeat_ngram_size": decoding.no_repeat_ngram,
        "num_beams": decoding.beam if decoding.method == "beam" else 1,
        "num_return_sequences": decoding.n_best,
        "do_sample": sampled,
    }
    if sampled:
        found |= {"temperature": decoding.temperature, "top_k": decoding.top_k, "top_p": decoding.top_p}
    if decoding.method == "beam":
        found["length_penalty"] = decoding.length_penalty
    return found | _SPECIAL | {"decoder_start_token_id": BEGIN}


def without_places(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a recipe without the paths and addresses of the machine it ran on."""
    found = {name: dict(part) if isinstance(part, dict) else part for name, part in recipe.items()}
    for section, field in _PLACES:
        if isinstance(found.get(section), dict):
            found[section].pop(field, None)
    return found


def read_config(folder: Path) -> tuple[Recipe, dict[str, Any], Any]:
    """Reads `config.json` as data from anywhere: nothing that it names is imported.

    Returns:
        The recipe, the recipe as `model.json` is to hold it, and the loss on the valid split.

    Raises:
        UserError: It is missing or damaged, of another kind of model, or asks for code.
    """
    path = folder / CONFIG_FILE
    found = read_object(path)
    if "auto_map" in found:
        what = "this model asks for code of its own (auto_map), which is never run"
        raise UserError(what, where=str(path), hint="Name a folder of `lstmlm hub write`")
    own = found.get(OWN)
    if found.get("model_type") != MODEL_TYPE or not isinstance(own, dict):
        what = f"a model of the type {str(found.get('model_type'))[:60]!r}, not of lstmlm"
        raise UserError(what, where=str(path), hint="Name a folder of `lstmlm hub write`")
    if own.get("form") != FORM:
        what = f"written in form {str(own.get('form'))[:20]}, and this version reads form {FORM}"
        raise UserError(what, where=str(path), hint="Install the version of lstmlm that wrote it")
    try:
        stored = {**own["recipe"], "decoding": own["decoding"]}
        recipe = Recipe.model_validate(stored, context=FROM_DATA)
    except (ValidationError, KeyError, TypeError) as error:
        reason = _first_fault(error)
        raise UserError(f"the recipe in it is damaged: {reason}", where=str(path), hint="Fetch it again") from error
    stored_task(recipe.task)
    return recipe, dict(own["recipe"]), own.get("valid_loss")


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__} {error}"[:200]
