"""Reduces a recipe to the sections that one component reads, so that other changes keep its cached result valid."""

from __future__ import annotations

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.stages import Stage, paths_read

UNUSED = "unused"


def sections(recipe: Recipe, stage: Stage) -> str:
    """Returns the recipe of one stage as JSON: what the stage does not depend on is blank.

    Args:
        recipe: The whole recipe.
        stage: The stage.
    """
    paths, single = paths_read(stage), set[str]()  # sections of which only single fields are read
    kept = {name: getattr(recipe, name) for name in {*(path for path in paths if "." not in path), *stage.reads}}
    for path in sorted(paths):
        section, _, field = path.partition(".")
        if field and (section not in kept or section in single):
            found = getattr(recipe, section)
            kept.setdefault(section, Recipe.model_fields[section].default)
            kept[section] = kept[section].model_copy(update={field: getattr(found, field)})
            single.add(section)
    blank = {"name": UNUSED, "corpus": CorpusSection(train=UNUSED)}
    return Recipe(
        **({"task": recipe.task, "task_options": recipe.task_options, "seed": recipe.seed} | blank | kept)
    ).model_dump_json()


def read_sections(text: str) -> Recipe:
    """Reads what `sections` wrote."""
    return Recipe.model_validate_json(text)
