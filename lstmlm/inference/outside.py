"""What decoding reads that no stage of the run made, such as a language model that it is given."""

from __future__ import annotations

from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task


def decoding_fingerprint(recipe: Recipe) -> str:
    """Returns what identifies what decoding reads; empty: nothing.

    Raises:
        UserError: It is not there.
    """
    return ",".join(load_task(recipe.task).decoding_stamp(recipe))
