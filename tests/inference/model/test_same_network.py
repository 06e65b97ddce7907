"""The recipe of a job describes the network that the weights were trained as, or is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.model import REGULARISATION, ModelSection


def recipe(task: str = "generate", **model: Any) -> Recipe:
    return Recipe.model_validate({"name": "a", "task": task, "corpus": {"train": "a.txt"}, "model": model})


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A folder whose weights are those of a residual network."""
    content = {"recipe": recipe(residual=True, layers=2).model_dump(mode="json")}
    (tmp_path / "model.json").write_text(json.dumps(content))
    return tmp_path


def test_another_network_is_refused_with_the_field_and_both_values(trained: Path) -> None:
    check_same_network(recipe(residual=True, layers=2), trained)
    with pytest.raises(UserError) as caught:
        check_same_network(recipe(residual=False, layers=2), trained)
    assert "trained with model.residual=True" in caught.value.what
    assert "the recipe has model.residual=False" in caught.value.what
    assert caught.value.where == str(trained / "model.json")


def test_another_task_is_refused(trained: Path) -> None:
    with pytest.raises(UserError, match=r"task=generate.*task=translate"):
        check_same_network(recipe("translate", residual=True, layers=2), trained)


@pytest.mark.parametrize("name", sorted(REGULARISATION))
def test_what_acts_in_training_only_may_differ(trained: Path, name: str) -> None:
    assert name in ModelSection.model_fields
    check_same_network(recipe(residual=True, layers=2, **{name: 0.4}), trained)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"recipe": 1}', '{"recipe": {"model": {"units": "many"}}}'])
def test_a_folder_that_does_not_say_is_not_compared(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    check_same_network(recipe(), tmp_path)
