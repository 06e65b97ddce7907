"""Parameters that a run of the compiled pipeline may be started with: paths, and how long to train."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components.properties import RECIPE
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe

MOUNT = Path("/mnt/lstmlm")
"""Where the image expects the file system that all steps share."""
FILES_TASK = "files"
"""Name of the step that reads fingerprints, as if it were a stage."""
DESTINATION = "push_destination"
"""Parameter of TFX's Pusher."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the compiled pipeline.

    Attributes:
        name: What users call it.
        field: The field of the recipe whose place it takes.
        kind: Its type in the specification.
        description: For the form in which a run is started.
        stages: The stages that read it.
    """

    name: str
    field: str
    kind: str
    description: str
    stages: tuple[str, ...]

    def default(self, recipe: Recipe) -> str | int:
        """Returns the value in a recipe; a relative `output` is one below the mounted file system."""
        section, _, field = self.field.partition(".")
        value = getattr(getattr(recipe, section), field) if field else getattr(recipe, section)
        return str(MOUNT / value) if self.name == "output" else value if isinstance(value, int) else str(value)


PARAMETERS = (
    Parameter("corpus_root", "corpus.root", "STRING", "Folder or URL of the corpus.", (FILES_TASK, "ingest", "infer")),
    Parameter("output", "output", "STRING", "Folder for checkpoints and pushed models.", ("train", "push")),
    Parameter("steps", "training.steps", "NUMBER_INTEGER", "Optimizer steps.", ("train",)),
)


def take_parameters(values: MutableMapping[str, Any]) -> None:
    """Puts the parameters of a run in the place of what was compiled: in the recipe, or in Pusher's destination.

    Args:
        values: The parameters of a step by name; those of the run are removed.

    Raises:
        UserError: A value cannot be one of the field.
    """
    given = {one: values.pop(one.name) for one in PARAMETERS if one.name in values}
    if DESTINATION in values:
        values[DESTINATION] = _below(values[DESTINATION], given)
    elif given:
        values[RECIPE] = _with_fields(values[RECIPE], given)


def _below(destination: str, given: Mapping[Parameter, Any]) -> str:
    content = json.loads(destination)
    for value in given.values():
        relative = content["filesystem"]["base_directory"]  # NAME/pushed
        content["filesystem"]["base_directory"] = str(Path(value, relative))
    return json.dumps(content)


def _with_fields(recipe: str, given: Mapping[Parameter, Any]) -> str:
    content = json.loads(recipe)
    for parameter, value in given.items():
        section, _, field = parameter.field.partition(".")
        exact = int(value) if parameter.kind == "NUMBER_INTEGER" and value == int(value) else value
        if field:
            content[section][field] = exact
        else:
            content[section] = exact
    try:
        return Recipe.model_validate(content).model_dump_json()
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"]))
        name = next((one.name for one in given if one.field == where), where)
        raise UserError(
            str(found["msg"]), where=f"parameter {name}", hint="Start the run with another value"
        ) from error
