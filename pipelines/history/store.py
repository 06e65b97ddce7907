"""Reads the executions of a pipeline and their artifacts from ML Metadata."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2

from lstmlm.errors import UserError
from lstmlm.publish.places import RUN_ARTIFACTS, RUN_ORIGIN, RUN_STORE
from lstmlm.stages import node_of, pipeline_stages
from lstmlm.storage import StorePath, place
from pipelines.metadata.opening import open_store
from pipelines.metadata.place import connection_for, is_shared, named, pipeline_name
from pipelines.stores.metadata import fetched


@dataclasses.dataclass(frozen=True, slots=True)
class Execution:
    """A stage that ran, or took its outputs from an earlier run.

    Attributes:
        number: Its number in ML Metadata; a later one is higher.
        stage: The stage; the name of the node where TFX has the component.
        state: `complete`, `cached`, `failed`, `running` and so on.
        started: When it began, seconds since 1970.
        ended: When its state was last written, seconds since 1970.
        inputs: Key -> folders.
        outputs: Key -> folders.
        properties: What it ran with: `recipe`, `version` of the code, `files` that it read.
    """

    number: int
    stage: str
    state: str
    started: float
    ended: float
    inputs: Mapping[str, Sequence[Path]]
    outputs: Mapping[str, Sequence[Path]]
    properties: Mapping[str, str]

    @property
    def published(self) -> Path | None:
        """The folder that the stage published; None: it has none."""
        node = next((node_of(stage) for stage in pipeline_stages() if stage.name == self.stage), None)
        paths = self.outputs.get(node.output) if node else None
        return paths[0] / node.inside if node and paths else None


class History:
    """The runs in a run folder.

    Args:
        folder: The folder of a recipe's runs, `output/name`, wherever it is now.

    Raises:
        UserError: There is no ML Metadata, or it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not is_run_folder(folder):
            raise UserError("no runs here", where=str(folder), hint="Name the folder that `lstmlm run` wrote to")
        home = folder.resolve()
        self._held = contextlib.ExitStack()  # until it is gone
        self._held.enter_context(fetched(home))
        config, self._pipeline = connection_for(home, read_only=True), pipeline_name(home.name, home)
        try:
            self._store = open_store(config, patience=0.0)
            self._executions = self._read()
            self._makers = {
                path: one
                for one in self._executions.values()
                if one.state == "complete"
                for paths in one.outputs.values()
                for path in paths
            }
        except (RuntimeError, ValueError, errors.StatusError) as error:
            reason = str(error).partition(" query: ")[0].partition("\n")[0]
            what = f"not an ML Metadata database that can be read ({reason})"
            raise UserError(what, where=named(config), hint="Name another folder") from error

    def runs(self) -> dict[str, list[Execution]]:
        """Returns run id -> its executions in their order, the newest run first."""
        found = {
            context.name: [
                self._executions[one.id]
                for one in sorted(self._store.get_executions_by_context(context.id), key=lambda one: one.id)
                if one.id in self._executions
            ]
            for context in self._store.get_contexts_by_type("pipeline_run")
        }
        newest = sorted(found, key=lambda name: found[name][0].number if found[name] else 0, reverse=True)
        return {name: found[name] for name in newest if found[name]}

    def maker(self, artifact: Path) -> Execution | None:
        """Returns the execution that made a folder; None: it is not in ML Metadata."""
        return self._makers.get(artifact)

    def _read(self) -> dict[int, Execution]:
        stages = {node_of(stage).id: stage.name for stage in pipeline_stages()}
        uris = {one.id: self._place(one.uri) for one in self._store.get_artifacts()}
        executions = self._own_executions()
        own = {one.id for one in executions}
        nodes = {
            one.id: context.name.rpartition(".")[2]
            for context in self._store.get_contexts_by_type("node")
            for one in self._store.get_executions_by_context(context.id)
            if one.id in own
        }
        inputs: dict[int, dict[str, list[Path]]] = {one.id: {} for one in executions}
        outputs: dict[int, dict[str, list[Path]]] = {one.id: {} for one in executions}
        for event in self._store.get_events_by_execution_ids(list(inputs)) if inputs else []:
            key = next((step.key for step in event.path.steps if step.key), "")
            is_input = event.type in (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
            place = (inputs if is_input else outputs)[event.execution_id]
            place.setdefault(key, []).append(uris[event.artifact_id])
        return {
            one.id: Execution(
                one.id,
                stages.get(nodes.get(one.id, ""), nodes.get(one.id, "")),
                metadata_store_pb2.Execution.State.Name(one.last_known_state).lower(),
                one.create_time_since_epoch / 1000,
                one.last_update_time_since_epoch / 1000,
                inputs[one.id],
                outputs[one.id],
                {name: value.string_value for name, value in one.custom_properties.items()},
            )
            for one in executions
        }

    def _own_executions(self) -> list[metadata_store_pb2.Execution]:
        """Returns the executions of this folder's runs: a server has those of other folders too."""
        if not is_shared():
            return list(self._store.get_executions())
        context = self._store.get_context_by_type_and_name("pipeline", self._pipeline)
        return list(self._store.get_executions_by_context(context.id)) if context else []

    def _place(self, uri: str) -> Path:
        """Returns where an artifact is: below this folder also where the folder was moved since."""
        parts = Path(uri.removeprefix("file://")).parts
        if RUN_ARTIFACTS not in parts:
            return place(uri)
        below = parts[len(parts) - 1 - parts[::-1].index(RUN_ARTIFACTS) :]
        return self.folder.joinpath(*below)


def is_run_folder(folder: Path) -> bool:
    """Returns whether a folder is that of a recipe's runs."""
    return (folder / RUN_STORE).is_file() or (is_shared() and (folder / RUN_ORIGIN).is_file())


def home_of(artifact: Path) -> Path:
    """Returns the run folder that an artifact is in.

    Raises:
        UserError: It is in none.
    """
    for parent in artifact.parents:
        if isinstance(parent, StorePath) and not parent.bucket:
            break
        if is_run_folder(parent):
            return parent
    hint = f"Name a folder below the `{RUN_ARTIFACTS}` of a run, as `lstmlm run` prints them"
    raise UserError("not in the folder of a run", where=str(artifact), hint=hint)
