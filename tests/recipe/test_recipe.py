from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from lstmlm.cli.recipe_docs import recipe_markdown
from lstmlm.recipe.file import load_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.task import load_task, task_names

RECIPES = sorted(path.stem for path in (Path(__file__).parents[2] / "pipelines" / "recipes").glob("*.yaml"))


def test_a_recipe_does_not_change_after_loading() -> None:
    recipe = Recipe.model_validate({"name": "x", "task": "generate", "corpus": {"train": "a.txt"}})
    with pytest.raises(ValidationError):
        recipe.training.steps = 5  # type: ignore[misc]
    assert recipe.run_folder == Path("runs/x")


def test_the_documentation_of_the_recipe_is_up_to_date(root: Path) -> None:
    assert (root / "docs" / "recipe.md").read_text(encoding="utf-8") == recipe_markdown(), "run `make docs`"


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipes_that_come_along_are_valid(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMLM_CORPORA", "corpora")
    recipe = load_recipe(root / "pipelines" / "recipes" / f"{name}.yaml")
    assert recipe.name == name
    assert recipe.task in task_names()
    assert recipe.evaluation.thresholds, "a model must not be pushed without a threshold"


@pytest.mark.parametrize("name", sorted({*RECIPES} - {"demo"}))
def test_the_recipes_find_their_corpora(root: Path, corpora: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMLM_CORPORA", str(corpora))
    corpus = load_recipe(root / "pipelines" / "recipes" / f"{name}.yaml").corpus
    assert corpus.valid is not None
    for file in (corpus.train, corpus.valid):
        with (corpus.root / file).open(encoding="utf-8") as lines:
            first = next(lines)
        for column in filter(None, (corpus.source, corpus.target, corpus.id)):
            assert file.endswith(".txt") or column in first


@pytest.mark.slow
@pytest.mark.parametrize("name", task_names())
def test_every_task_loads(name: str) -> None:
    assert isinstance(load_task(name).has_targets, bool)


@pytest.mark.parametrize(
    ("decoding", "words"),
    [
        ({"precision": "bfloat16"}, "backend onnx computes in float32 or int8"),
        ({"backend": "tensorflow", "precision": "int8"}, "backend tensorflow computes in float32 or bfloat16"),
        ({"n_best": 2}, "needs method beam or sample"),
        ({"temperature": 1e-9}, "greater than or equal"),
        ({"coverage_penalty": 0.1}, "needs method beam"),
        ({"no_repeat_ngram": 65}, "max_tokens 64"),
        ({"forbidden": ["the", " "]}, "`forbidden` has an empty word"),
        ({"method": "beam", "forced": [""]}, "`forced` has an empty word"),
        ({"method": "beam", "beam": 2, "n_best": 3}, "the beam keeps 2"),
        ({"forced": ["word"]}, "needs method beam"),
        ({"top_k": 3}, "needs method sample"),
        ({"min_tokens": 65}, "max_tokens 64"),
    ],
)
def test_decoding_options_that_would_do_nothing_are_refused(decoding, words):
    with pytest.raises(ValueError, match=words):
        DecodingSection.model_validate(decoding)
