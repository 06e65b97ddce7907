"""Extra steps of some components around their stage's call: TFX splits, the blessing, the pushed model.

Imports no TFX: a step of Kubeflow calls a stage without it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components.runtime import Runtime
from lstmlm.errors import BelowThreshold
from lstmlm.records.shards import SPLITS
from lstmlm.stages import Stage

SPLIT_NAMES = "split_names"
"""TFX's property of `Examples` with the names of its splits, as a JSON list; StatisticsGen looks for them."""
BLESSED_FILE, NOT_BLESSED_FILE = "BLESSED", "NOT_BLESSED"
BLESSED, MODEL_ID, MODEL_URI = "blessed", "current_model_id", "current_model"
"""TFX's names of a blessing's files and properties (`tfx.components.evaluator.constants`)."""
PUSHED = "pushed"
"""Pusher's property of a `PushedModel`: 1 where it did push."""


@dataclasses.dataclass(frozen=True, slots=True)
class Handed:
    """An artifact, as far as a stage and its hook see it.

    Attributes:
        path: Its folder.
        uri: Its place as the scheduler names it.
        identity: Its id in the scheduler's store.
        properties: Its custom properties, and `split_names`; a hook adds to those of an output.
    """

    path: Path
    uri: str
    identity: int | str = 0
    properties: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call of a stage by a component.

    Attributes:
        inputs: Name of an input -> artifact.
        outputs: Output key -> artifact.
        output: The folder that the stage publishes.
    """

    inputs: Mapping[str, Handed]
    outputs: Mapping[str, Handed]
    output: Path


def _nothing(call: Call) -> None:
    """Does nothing."""


def _no_arguments(runtime: Runtime) -> dict[str, Any]:
    return {}


@dataclasses.dataclass(frozen=True, slots=True)
class Hook:
    """What is special about the component of a stage.

    Attributes:
        outputs: Key of an output in addition to the stage's folder -> name of the artifact type.
        arguments: Returns further arguments of the stage's function, from the surroundings of the component.
        before: Called before the stage.
        after: Called after the stage.
    """

    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    arguments: Callable[[Runtime], dict[str, Any]] = _no_arguments
    before: Callable[[Call], None] = _nothing
    after: Callable[[Call], None] = _nothing


def hook_of(stage: Stage) -> Hook:
    """Returns the hook of a stage; most have none, and get one that does nothing."""
    return _HOOKS.get(stage.name, Hook())


def _ray_cluster(runtime: Runtime) -> dict[str, Any]:
    return {"ray_address": runtime.ray_address}


def _name_splits(call: Call) -> None:
    """Names the splits of the stage's `Examples`."""
    (examples,) = call.outputs.values()
    examples.properties[SPLIT_NAMES] = json.dumps(list(SPLITS))


def _bless(call: Call) -> None:
    """Writes the file and the properties by which Pusher and the resolver of the last blessed model know a verdict."""
    blessed = json.loads((call.output / "metrics.json").read_text(encoding="utf-8"))["blessed"]
    blessing, model = call.outputs["blessing"], call.inputs["export"]
    (blessing.path / (BLESSED_FILE if blessed else NOT_BLESSED_FILE)).write_bytes(b"")
    blessing.properties.update({BLESSED: int(blessed), MODEL_ID: model.identity, MODEL_URI: model.uri})


def _refuse_unpushed(call: Call) -> None:
    """Refuses to decode with a model that Pusher did not push.

    Raises:
        BelowThreshold: It did not.
    """
    if call.inputs["export"].properties.get(PUSHED) != 1:
        hint = "Train longer or loosen evaluation.thresholds"
        raise BelowThreshold("the model was not good enough to be pushed, so there is none to decode with", hint=hint)


_HOOKS: Mapping[str, Hook] = {
    "ingest": Hook(after=_name_splits),
    "examples": Hook(after=_name_splits),
    "train": Hook(arguments=_ray_cluster),
    "evaluate": Hook(outputs={"blessing": "ModelBlessing"}, after=_bless),
    "infer": Hook(before=_refuse_unpushed),
}
