"""Queries ML Metadata about one run of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from lstmlm.storage import place
from pipelines.metadata.handle import Metadata
from pipelines.metadata.place import Connection

Execution: TypeAlias = metadata_store_pb2.Execution


class RunStore:
    """Looks up the executions of one run id."""

    def __init__(self, connection: Connection) -> None:
        """Takes the connection; it is opened for every question, as the launcher does between them."""
        self._connection = connection

    def finished(self, node: pipeline_pb2.PipelineNode) -> Execution | None:
        """Returns the newest successful execution of a node under the run id its contexts name."""
        with Metadata(self._connection) as handle:
            contexts = context_lib.prepare_contexts(handle, node.contexts)
            found = execution_lib.get_executions_associated_with_all_contexts(handle, contexts)
        successful = [execution for execution in found if execution_lib.is_execution_successful(execution)]
        newest_first = execution_lib.sort_executions_newest_to_oldest(successful)
        return newest_first[0] if newest_first else None

    def outputs(self, execution: Execution) -> dict[str, list[types.Artifact]]:
        """Returns the output artifacts of an execution by key."""
        with Metadata(self._connection) as handle:
            return execution_lib.get_output_artifacts(handle, execution.id)

    def successful_ids(self) -> set[int]:
        """Returns the ids of all executions, of any run, that came to their end."""
        with Metadata(self._connection) as handle:
            return {e.id for e in handle.store.get_executions() if execution_lib.is_execution_successful(e)}


def is_cached(execution: Execution) -> bool:
    """Says whether an execution took its outputs from an earlier one."""
    return bool(execution.last_known_state == Execution.CACHED)


def changed_parameter(node: pipeline_pb2.PipelineNode, execution: Execution) -> str | None:
    """Returns the name of a parameter that the node has and the execution had otherwise; None if all are the same."""
    for name, parameter in node.parameters.parameters.items():
        stored = execution.properties if name in execution.properties else execution.custom_properties
        if parameter.HasField("field_value") and (name not in stored or stored[name] != parameter.field_value):
            return str(name)
    return None


def folders(outputs: dict[str, list[types.Artifact]]) -> dict[str, Path]:
    """Returns the folder of the first artifact of each key."""
    return {key: place(artifacts[0].uri) for key, artifacts in outputs.items() if artifacts}
