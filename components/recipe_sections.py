"""Narrows a recipe to what one component depends on, so that other changes leave its cached result valid."""

from __future__ import annotations

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Corpus

UNUSED = "unused"

_INGEST = ("corpus",)
_TOKENIZER = (*_INGEST, "tokenizer")
_EXAMPLES = (*_TOKENIZER, "examples")
_TRAIN = (*_EXAMPLES, "model", "training")
_EXPORT = (*_TRAIN, "decoding")

# What an earlier stage depends on decides the later ones anyway, so a stage may see it at no cost to the cache.
READS: dict[str, tuple[str, ...]] = {
    "ingest": ("name", *_INGEST),  # the report is titled with it
    "tokenizer": _TOKENIZER,
    "examples": _EXAMPLES,
    "train": ("name", "output", *_TRAIN),  # checkpoints are stored in the run's folder
    "export": _EXPORT,
    "evaluate": (*_EXPORT, "evaluation"),
    "infer": (*_EXPORT, "inference"),
}
"""Stage -> the fields of the recipe it depends on, in addition to the task and the seed."""


def sections(recipe: Recipe, stage: str) -> str:
    """Returns the recipe of one stage as JSON: what the stage does not depend on is blank.

    Args:
        recipe: The whole recipe.
        stage: A key of `READS`.
    """
    kept = {name: getattr(recipe, name) for name in READS[stage]}
    blank = {"name": UNUSED, "corpus": Corpus(train=UNUSED)}
    return Recipe(task=recipe.task, seed=recipe.seed, **(blank | kept)).model_dump_json()


def read_sections(text: str) -> Recipe:
    """Reads what `sections` wrote."""
    return Recipe.model_validate_json(text)
