"""TFX's own components of a pipeline in a store, whose libraries read and write files of this machine only.

What they make, and what they take but records, is small: it is copied to a folder of this machine and back. Records are
read where they are, by Beam.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.example_validator import executor as example_validator
from tfx.components.schema_gen import executor as schema_gen
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.dsl.components.base import base_node, executor_spec

from lstmlm.corpus.reading.openers import file_systems
from lstmlm.storage import StorePath, place
from lstmlm.storage.files import copy_file

Artifacts = dict[str, list[types.Artifact]]


class _Staged:
    """Puts a folder of this machine in the place of each artifact; in front of an executor of TFX.

    Attributes:
        streamed: Keys of inputs that are read where they are.
    """

    streamed: tuple[str, ...] = ()

    def Do(  # noqa: N802 (TFX calls it so)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """See `BaseExecutor.Do`."""
        with tempfile.TemporaryDirectory(prefix="lstmlm-stage-") as folder:
            inputs = {
                key: found if key in self.streamed else [_fetched(one, Path(folder, "in", key)) for one in found]
                for key, found in input_dict.items()
            }
            for key in self.streamed:
                file_systems(input_dict[key][0].uri)  # Beam's, ready to list them
            outputs = {
                key: [_moved(one, Path(folder, "out", key)) for one in found] for key, found in output_dict.items()
            }
            super().Do(inputs, outputs, exec_properties)  # type: ignore[misc]
            for key, found in output_dict.items():
                for made, one in zip(outputs[key], found, strict=True):
                    _send(made, one)


class StatisticsExecutor(_Staged, statistics_gen.Executor):
    """Makes statistics of records in a store."""

    streamed = ("examples",)


class SchemaExecutor(_Staged, schema_gen.Executor):
    """Makes a schema of statistics in a store."""


class ValidatorExecutor(_Staged, example_validator.Executor):
    """Compares statistics and schema in a store."""


_EXECUTORS: Mapping[str, executor_spec.ExecutorSpec] = {
    "statistics": executor_spec.BeamExecutorSpec(StatisticsExecutor),
    "schema": executor_spec.ExecutorClassSpec(SchemaExecutor),
    "validate": executor_spec.ExecutorClassSpec(ValidatorExecutor),
}


def stage_locally(nodes: Mapping[str, base_node.BaseNode]) -> None:
    """Gives TFX's own components, by the name of their stage, executors for artifacts in a store."""
    for stage, spec in _EXECUTORS.items():
        nodes[stage].executor_spec = spec.copy()


def _moved(artifact: types.Artifact, folder: Path) -> types.Artifact:
    moved = copy.deepcopy(artifact)
    moved.uri = str(folder)
    folder.mkdir(parents=True)
    return moved


def _fetched(artifact: types.Artifact, folder: Path) -> types.Artifact:
    source = place(artifact.uri)
    moved = _moved(artifact, folder)
    if isinstance(source, StorePath):
        for name in source.below():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(source / name, folder / name)
    return moved


def _send(made: types.Artifact, artifact: types.Artifact) -> None:
    """Sends what was made, and takes over its properties."""
    folder, target = Path(made.uri), place(artifact.uri)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            copy_file(path, target / path.relative_to(folder).as_posix())
    found = copy.deepcopy(made.mlmd_artifact)
    found.uri = artifact.uri
    artifact.set_mlmd_artifact(found)
