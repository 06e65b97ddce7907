"""Extra steps of some components around their stage's call: TFX splits, the blessing, the pushed model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components.artifacts import folder
from components.runtime import Runtime
from lstmlm.errors import BelowThreshold
from lstmlm.records.shards import SPLITS
from lstmlm.stages import Stage


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of a stage by a component.

    Attributes:
        inputs: Name of an input -> artifact.
        outputs: Output key -> artifact.
        output: The folder that the stage publishes.
    """

    inputs: dict[str, types.Artifact]
    outputs: dict[str, types.Artifact]
    output: Path


def _nothing(call: Call) -> None:
    """Does nothing."""


def _no_arguments(runtime: Runtime) -> dict[str, Any]:
    return {}


@dataclasses.dataclass(frozen=True, slots=True)
class Hook:
    """What is special about the component of a stage.

    Attributes:
        outputs: Key of an output in addition to the stage's folder -> artifact type.
        arguments: Returns further arguments of the stage's function, from the surroundings of the component.
        before: Called before the stage.
        after: Called after the stage.
    """

    outputs: Mapping[str, type[types.Artifact]] = dataclasses.field(default_factory=dict)
    arguments: Callable[[Runtime], dict[str, Any]] = _no_arguments
    before: Callable[[Call], None] = _nothing
    after: Callable[[Call], None] = _nothing


def hook_of(stage: Stage) -> Hook:
    """Returns the hook of a stage; most have none, and get one that does nothing."""
    return _HOOKS.get(stage.name, Hook())


def _ray_cluster(runtime: Runtime) -> dict[str, Any]:
    return {"ray_address": runtime.ray_address}


def _name_splits(call: Call) -> None:
    """Names the splits of the stage's `Examples`, which StatisticsGen looks for."""
    (examples,) = call.outputs.values()
    examples.splits = list(SPLITS)


def _bless(call: Call) -> None:
    """Writes the file and the properties by which Pusher and the resolver of the last blessed model know a verdict."""
    blessed = json.loads((call.output / "metrics.json").read_text(encoding="utf-8"))["blessed"]
    blessing, model = call.outputs["blessing"], call.inputs["export"]
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    (folder(blessing) / name).touch()
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)


def _refuse_unpushed(call: Call) -> None:
    """Refuses to decode with a model that Pusher did not push.

    Raises:
        BelowThreshold: It did not.
    """
    if call.inputs["export"].get_int_custom_property("pushed") != 1:
        hint = "Train longer or loosen evaluation.thresholds"
        raise BelowThreshold("the model was not good enough to be pushed, so there is none to decode with", hint=hint)


_HOOKS: Mapping[str, Hook] = {
    "ingest": Hook(after=_name_splits),
    "examples": Hook(after=_name_splits),
    "train": Hook(arguments=_ray_cluster),
    "evaluate": Hook(outputs={"blessing": standard_artifacts.ModelBlessing}, after=_bless),
    "infer": Hook(before=_refuse_unpushed),
}
