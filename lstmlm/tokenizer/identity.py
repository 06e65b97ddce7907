"""Checks that token ids and weights belong to the vocabulary they are used with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.folder import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer.foreign.given import given_fingerprint
from lstmlm.tokenizer.tokenizer import JSON_FILE, LABELS_FILE, MODEL_FILE


def vocabulary_facts(tokenizer: Manifest) -> dict[str, Any]:
    """Returns what identifies a vocabulary: `size` (tokens) and `fingerprint` (sha256 of its file)."""
    hashes = (facts["sha256"] for name, facts in tokenizer.files.items() if name in (MODEL_FILE, JSON_FILE))
    labels = {"labels": tokenizer.files[LABELS_FILE]["sha256"]} if LABELS_FILE in tokenizer.files else {}
    return {"size": int(tokenizer.facts["vocabulary"]), "fingerprint": next(hashes, ""), **labels}


def stored_vocabulary_facts(made: Manifest, size: Any) -> dict[str, Any] | None:
    """Returns the `vocabulary_facts` of the tokenizer that a model or export was made with; None: unknown.

    Args:
        made: Manifest of the model or export.
        size: Tokens of its vocabulary, as its `model.json` says.
    """
    stored = made.facts.get("vocabulary")
    if isinstance(stored, dict) and isinstance(stored.get("size"), int):
        return stored
    # An export has the files of its vocabulary, and no fact about them.
    hashes = {name: facts["sha256"] for name, facts in made.files.items()}
    kept = hashes.get(MODEL_FILE) or hashes.get(JSON_FILE)
    if kept is None or not isinstance(size, int):
        return None
    labels = {"labels": hashes[LABELS_FILE]} if LABELS_FILE in hashes else {}
    return {"size": size, "fingerprint": kept, **labels}


def check_same_vocabulary(
    what: str, made_with: Mapping[str, Any] | None, tokenizer: Manifest, *, hint: str, labels: bool = True
) -> None:
    """Checks that ids or weights can be used with a tokenizer.

    Args:
        what: What was made, in the plural, for the message.
        made_with: The `vocabulary_facts` of the tokenizer it was made with; None: unknown.
        tokenizer: Manifest of the tokenizer to use it with.
        hint: What to do where they differ.
        labels: Compare the labels too.

    Raises:
        UserError: They differ.
    """
    now = vocabulary_facts(tokenizer)
    if not labels and made_with is not None:
        now, made_with = ({**facts, "labels": None} for facts in (now, made_with))
    if made_with is None or made_with == now:
        return
    if made_with["size"] == now["size"] and made_with.get("labels") != now.get("labels"):
        raise UserError(f"the {what} were made with other labels than the tokenizer has", where="tokenizer", hint=hint)
    if made_with["size"] != now["size"]:
        difference = f"a vocabulary of {made_with['size']} tokens, but the tokenizer has {now['size']}"
    else:
        prints = (str(facts["fingerprint"])[:12] for facts in (made_with, now))
        difference = "vocabulary {}, and the tokenizer is {}, with as many tokens".format(*prints)
    raise UserError(f"the {what} were made with {difference}", where="tokenizer", hint=hint)


def check_recipe_vocabulary(recipe: Recipe, tokenizer: Manifest) -> None:
    """Checks that a tokenizer folder is what the recipe's `tokenizer` section describes.

    Raises:
        UserError: It is not.
    """
    section, size = recipe.tokenizer, int(tokenizer.facts["vocabulary"])
    hint = "Run the tokenizer stage with this recipe, or name its vocabulary there"
    fits = size <= section.vocabulary if section.counts_what_is_there else size == section.vocabulary
    if section.model is None and size and not fits:
        what = f"the recipe asks for {section.vocabulary} tokens, but the tokenizer has {size}"
        raise UserError(what, where="tokenizer.vocabulary", hint=hint)
    # The file need not be on the machine that trains.
    known = section.model is not None and section.model.is_file()
    if known and given_fingerprint(recipe) != tokenizer.facts.get("sha256"):
        raise UserError(f"the tokenizer was not made from {section.model}", where="tokenizer.model", hint=hint)
