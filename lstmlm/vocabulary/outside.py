"""The files of others that a vocabulary is made from: a given one, or the older one that it grows from."""

from __future__ import annotations

from lstmlm.publish.manifest import fingerprint, sha256_file
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer.foreign.given import given_fingerprint
from lstmlm.tokenizer.growth import older_file, read_growth


def outside_fingerprint(recipe: Recipe) -> str | None:
    """Returns what identifies the vocabulary that `tokenizer.model` or `tokenizer.grows` names; None: neither does.

    Raises:
        UserError: It cannot be read.
    """
    old = older_file(recipe)
    if old is None:
        return given_fingerprint(recipe)
    growth = read_growth(old)
    return fingerprint("grows", sha256_file(old), [] if growth is None else [list(growth.older), growth.parts])
