from __future__ import annotations

from pathlib import Path

import pytest

from components.recipe_sections import read_sections
from components.recipe_sections import sections as sections_of
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, pipeline_stages

READS = [stage.name for stage in pipeline_stages() if stage.function]

RECIPE = Recipe.model_validate(
    {
        "name": "news",
        "task": "generate",
        "seed": 7,
        "output": "/data/runs",
        "corpus": {"root": "/data", "train": "a.txt"},
        "model": {"units": 8},
        "training": {"steps": 3},
    }
)


def sections(recipe: Recipe, stage: str) -> str:
    return sections_of(recipe, STAGES[stage])


def changed(**sections_: dict[str, object]) -> Recipe:
    content = RECIPE.model_dump()
    for name, values in sections_.items():
        content[name] |= values
    return Recipe.model_validate(content)


def touched(recipe: Recipe) -> set[str]:
    """The stages whose cache key a change reaches."""
    return {stage for stage in READS if sections(recipe, stage) != sections(RECIPE, stage)}


@pytest.mark.parametrize(
    ("recipe", "stages"),
    [
        (changed(corpus={"max_dead_fraction": 0.5}), set(READS)),
        (changed(tokenizer={"vocabulary": 301}), set(READS) - {"ingest"}),
        (changed(examples={"window": 3}), set(READS) - {"ingest", "tokenizer"}),
        (changed(model={"units": 9}), {"train", "export", "evaluate", "infer"}),
        (changed(training={"steps": 4}), {"train", "export", "evaluate", "infer"}),
        (changed(decoding={"max_tokens": 9}), {"export", "evaluate", "infer"}),
        (changed(evaluation={"max_records": 9}), {"evaluate"}),
        (changed(inference={"shards": 3}), {"infer"}),
    ],
    ids=["corpus", "tokenizer", "examples", "model", "training", "decoding", "evaluation", "inference"],
)
def test_a_change_reaches_the_stages_that_depend_only_on_it(recipe: Recipe, stages: set[str]) -> None:
    assert touched(recipe) == stages


def test_a_seed_reaches_every_stage() -> None:
    assert touched(RECIPE.model_copy(update={"seed": 8})) == set(READS)


def test_a_stage_gets_its_sections_back_as_they_were() -> None:
    found = read_sections(sections(RECIPE, "train"))
    assert found.model == RECIPE.model
    assert found.training == RECIPE.training
    assert found.run_folder == Path("/data/runs/news")
    assert (found.task, found.seed) == ("generate", 7)


def test_what_a_stage_does_not_read_is_blank() -> None:
    found = read_sections(sections(RECIPE, "ingest"))
    assert found.model.units != 8
    assert found.name == "news", "the report of the corpus is titled with it"
    assert read_sections(sections(RECIPE, "tokenizer")).name == "unused"
