"""What predictions depend on that no stage of the run made: the input files, and what decoding reads."""

from __future__ import annotations

from lstmlm.inference.input.inputs import chosen_fingerprint
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task


def outside_fingerprint(recipe: Recipe) -> str:
    """Returns what identifies the input and what decoding reads, such as a language model; empty: there is neither.

    Raises:
        UserError: It is not there.
    """
    parts = (chosen_fingerprint(recipe), *load_task(recipe.task).decoding_stamp(recipe))
    return ",".join(part for part in parts if part)
