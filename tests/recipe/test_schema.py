"""The JSON schema accepts the recipes of this project, and refuses what `recipe check` refuses of single fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lstmlm.recipe.schema import recipe_schema
from lstmlm.task import task_names

GOOD: dict[str, Any] = {"name": "x", "task": "classify", "corpus": {"train": "a.txt"}}


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = recipe_schema(task_names())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_recipe_of_this_project_is_valid(validator: Any, root: Path) -> None:
    recipes = sorted((root / "pipelines" / "recipes").glob("*.yaml"))
    assert len(recipes) > 10
    for path in recipes:
        found = [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]
        assert (path.name, found) == (path.name, [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"training": {"stepz": 3}}, "$.training"),
        ({"training": {"steps": 0}}, "$.training.steps"),
        ({"task_options": {"kind": "some"}}, "$.task_options"),
        ({"task_options": {"direction": "forward"}}, "$.task_options"),
        ({"corpus": {}}, "$.corpus"),
        ({"name": "No"}, "$.name"),
        ({"modell": {}}, "$"),
    ],
)
def test_a_wrong_field_is_refused(validator: Any, change: dict[str, Any], path: str) -> None:
    assert [error.json_path for error in validator.iter_errors(GOOD | change)] == [path]


def test_fields_are_described(validator: Any) -> None:
    training = validator.schema["$defs"]["TrainingSection"]["properties"]
    assert all("description" in field for field in training.values())
