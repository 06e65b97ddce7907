"""Renumbers a given `tokenizer.json`: the ids of its tokens become those that the model was trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tokenizers

from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from lstmlm.tokenizer.foreign.json_file import prepare
from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK

ROLES = {PAD: "<|pad|>", UNK: "<|unknown|>", BEGIN: "<|begin|>", END: "<|end|>"}
"""What a special token is called that the file does not have."""


def renumbered(text: str, loaded: HuggingFace) -> tokenizers.Tokenizer:
    """Returns the tokenizer with the ids of this project.

    Every token is in the vocabulary of the model then, also what was added to it, for `tokenizers` numbers what is
    not. Nothing is put around a text, cut off or padded.

    Args:
        text: The content of the file.
        loaded: The same file, loaded.
    """
    prepared = prepare(text)
    content = json.loads(prepared.content)
    names = {hidden: name for name, hidden in prepared.renamed.items()}
    theirs = _names_by_id(content)
    ours: dict[str, int] = {}
    for number, their_id in enumerate(loaded.numbering):
        found = theirs[their_id] if their_id >= 0 else ROLES[number]
        ours[names.get(found, found)] = number
    model = content["model"]
    model["vocab"] = _scored(model, ours, names) if isinstance(model["vocab"], list) else ours
    if isinstance(model["vocab"], list) and model.get("unk_id") is not None:
        model["unk_id"] = UNK
    content["added_tokens"] = [_added(token, ours, names) for token in content.get("added_tokens") or []]
    return tokenizers.Tokenizer.from_str(json.dumps(content, ensure_ascii=False))


def _names_by_id(content: Mapping[str, Any]) -> dict[int, str]:
    vocabulary = content["model"]["vocab"]
    if isinstance(vocabulary, list):
        found = {number: str(piece) for number, (piece, _) in enumerate(vocabulary)}
    else:
        found = {int(number): token for token, number in vocabulary.items()}
    return found | {int(token["id"]): token["content"] for token in content.get("added_tokens") or []}


def _scored(model: Mapping[str, Any], ours: Mapping[str, int], names: Mapping[str, str]) -> list[tuple[str, float]]:
    """Returns the pieces of a unigram model with their scores; what was not among them has the lowest."""
    scores = {names.get(piece, piece): float(score) for piece, score in model["vocab"]}
    lowest = min(scores.values())
    return [(name, scores.get(name, lowest)) for name, _ in sorted(ours.items(), key=lambda one: one[1])]


def _added(token: Mapping[str, Any], ours: Mapping[str, int], names: Mapping[str, str]) -> dict[str, Any]:
    name = names.get(token["content"], token["content"])
    return {**token, "content": name, "id": ours[name]}
