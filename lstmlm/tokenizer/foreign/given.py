"""A vocabulary file named by the recipe: checks it, and converts it to the special ids of this project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.folder import sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer.foreign.check import check_file, check_loads
from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from lstmlm.tokenizer.sentencepiece.model_proto import algorithm, renumbered
from lstmlm.tokenizer.sentencepiece.processor import SentencePiece
from lstmlm.tokenizer.tokenizer import JSON_FILE, MODEL_FILE

_FIELD = "tokenizer.model"
_HINT = "Name a SentencePiece .model or a Hugging Face tokenizer.json"


def given_fingerprint(recipe: Recipe) -> str | None:
    """Returns the sha256 of the file in `tokenizer.model`, or None where the vocabulary is to be trained.

    Raises:
        UserError: The file cannot be read.
    """
    path = recipe.tokenizer.model
    if path is None:
        return None
    try:
        check_file(path, _FIELD)
        return sha256_file(path)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise UserError(what, where=_FIELD, hint=_HINT) from error


def adopt(path: Path, folder: Path) -> dict[str, Any]:
    """Puts a given vocabulary into a tokenizer folder.

    It is tried in a child process first. A `tokenizer.json` is copied as it is.
    A SentencePiece model whose special ids are others is renumbered.

    Args:
        path: A file that ends in `.json` or `.model`.
        folder: The folder to write to.

    Returns:
        The facts: `vocabulary` (ids), `algorithm`, and `renumbered` (whether ids are others than in the file).

    Raises:
        UserError: The file is not a vocabulary.
    """
    content = path.read_bytes()
    copy = folder / (JSON_FILE if path.suffix == ".json" else MODEL_FILE)
    copy.write_bytes(content)
    check_loads(copy, path, _FIELD, _HINT)
    if path.suffix == ".json":
        loaded = HuggingFace(path)
        return {"vocabulary": loaded.size, "algorithm": loaded.algorithm, "renumbered": loaded.renumbered}
    try:
        model = renumbered(content)
        (folder / MODEL_FILE).write_bytes(model)
        found = SentencePiece(folder / MODEL_FILE)
    except (RuntimeError, LookupError, ValueError, UserError) as error:
        raise UserError(f"{path} is not a SentencePiece model", where=_FIELD, hint=_HINT) from error
    return {"vocabulary": found.size, "algorithm": algorithm(model), "renumbered": model != content}
