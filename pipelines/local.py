"""Runs a recipe on this machine: TFX's launcher, node by node, with a listener, single stages and clear errors.

TFX's own local runner has no listeners and no run id, and continues past a node whose inputs are missing.
"""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.runtime import Runtime, use
from lstmlm.errors import UserError
from lstmlm.progress import Progress, Silent
from lstmlm.publish.folder import MANIFEST
from lstmlm.publish.linked import share_files
from lstmlm.publish.locks import locked
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Stage, node_of, stage_named, stage_of_node
from lstmlm.storage import StorePath, place
from lstmlm.storage.leases import Lease
from pipelines.blessed import with_last_blessed
from pipelines.build import build_pipeline, files_parameter
from pipelines.finished import check_blessed, note_finished
from pipelines.housekeeping import sweep
from pipelines.metadata.executions import Execution, RunStore, changed_parameter, folders, is_cached
from pipelines.metadata.handle import Metadata
from pipelines.metadata.opening import server_errors
from pipelines.moved import keys_as_at, settle
from pipelines.stores.metadata import fetched, keep

LOCK_SECONDS = 3600.0
"""How long a single stage waits for another one that works in the folder of the run: schedulers start both."""


class Listener(Protocol):
    """Follows a run stage by stage."""

    def waiting(self, reason: str) -> None:
        """Announces that the run waits for another process."""

    def started(self, stage: str) -> Progress:
        """Announces the start of a stage; returns the listener to its progress."""

    def finished(self, stage: str, artifact: Path | None, *, cached: bool) -> None:
        """Announces the end of a stage: the place of its main output, and whether nothing had to be done."""


class SilentListener:
    """Follows nothing."""

    def waiting(self, reason: str) -> None:
        """See `Listener.waiting`."""

    def started(self, stage: str) -> Progress:
        """See `Listener.started`."""
        return Silent()

    def finished(self, stage: str, artifact: Path | None, *, cached: bool) -> None:
        """See `Listener.finished`."""


@dataclasses.dataclass(frozen=True, slots=True)
class StageReport:
    """What became of one stage.

    Attributes:
        stage: Its name, as in `lstmlm.stages`.
        cached: Whether nothing had to be done.
        seconds: How long it took.
        artifact: Folder of its main output; None where there is none (no model was blessed before).
        outputs: Output key -> folder.
    """

    stage: str
    cached: bool
    seconds: float
    artifact: Path | None
    outputs: dict[str, Path]


@dataclasses.dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run: its id, and the stages in the order they ran."""

    run_id: str
    stages: list[StageReport]

    @property
    def artifacts(self) -> dict[str, Path]:
        """Stage -> folder of its main output."""
        return {report.stage: report.artifact for report in self.stages if report.artifact is not None}


def run_local(
    recipe: Recipe,
    *,
    run_id: str | None = None,
    stage: str | None = None,
    listener: Listener | None = None,
    ray_address: str | None = None,
) -> RunReport:
    """Runs the pipeline of a recipe, or one stage of it, in this process.

    Args:
        recipe: The run.
        run_id: Groups stages into one run; absent: a new one. Under a known id, finished stages are kept.
        stage: Run only this stage.
        listener: Follows the stages.
        ray_address: Ray cluster to train on; absent: one started here.

    Raises:
        BelowThreshold: The model is not good enough to be pushed; nothing after the evaluation ran.
        TryAgain: Another process works in the folder of the run, for more than `LOCK_SECONDS` if it is one stage; or
            the server of ML Metadata is away.
        UserError: The stage is unknown or one before it has not run, or what a stage raised.
    """
    only = None if stage is None else stage_named(stage)
    run_id = run_id or datetime.datetime.now(datetime.UTC).isoformat()
    listener = listener or SilentListener()
    seconds = LOCK_SECONDS if only is not None else 0.0
    with locked(recipe.run_folder, wait=seconds, waiting=listener.waiting if only is not None else None) as lease:
        home = recipe.run_folder.resolve()
        with fetched(home), keys_as_at(settle(home), home):
            run = _Run(recipe, run_id, listener, ray_address, lease)
            sweep(run.root, run.store.successful_ids())
            return RunReport(run_id, list(run.stages(only)))


class _Run:
    """One run of a compiled pipeline."""

    def __init__(
        self, recipe: Recipe, run_id: str, listener: Listener, ray_address: str | None, lease: Lease | None
    ) -> None:
        self._connection = build_pipeline(recipe).metadata_connection_config
        recipe = with_last_blessed(recipe, self._connection, run_id)
        self._recipe = recipe
        pipeline = build_pipeline(recipe)
        self._ir: pipeline_pb2.Pipeline = compiler.Compiler().compile(pipeline)
        parameters = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        runtime_parameter_utils.substitute_runtime_parameter(self._ir, parameters)
        self._deployment = runner_utils.extract_local_deployment_config(self._ir)
        self.root = place(str(pipeline.pipeline_info.pipeline_root))
        self._lease = lease
        self.store = RunStore(self._connection)
        self._pushed = recipe.run_folder / "pushed"
        self._run_id, self._listener, self._ray_address = run_id, listener, ray_address
        self._files: dict[str, str] = {}
        self._nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in self._ir.nodes}

    def stages(self, only: Stage | None) -> Iterator[StageReport]:
        """Runs the stages in order, or one."""
        chosen = [stage_of_node(name) for name in self._nodes] if only is None else [only]
        # All of them now: a file that is missing is reported before anything runs, and one that changes meanwhile
        # belongs to the next run.
        for stage in chosen:
            self._fingerprint_files(stage)
        for stage in chosen:
            yield self._stage(stage, self._nodes[node_of(stage).id])

    def _fingerprint_files(self, stage: Stage) -> None:
        """Reads the files that a stage depends on and no stage made: they are a part of its cache key."""
        if stage.outside:
            self._files[stage.name] = stage.outside_fingerprint(self._recipe)
            found = {files_parameter(stage): self._files[stage.name]}
            runtime_parameter_utils.substitute_runtime_parameter(self._nodes[node_of(stage).id], found)

    def _stage(self, stage: Stage, node: pipeline_pb2.PipelineNode) -> StageReport:
        started = time.monotonic()
        progress = self._listener.started(stage.name)
        done = self.store.finished(node)
        if done is None:
            self._check_upstream(stage, node)
            try:
                with use(Runtime(progress, self._ray_address)), server_errors(self._connection):
                    self._launch(stage, node)
            finally:
                self._keep_metadata()
            execution = self.store.finished(node)
            if execution is None:
                raise RuntimeError(f"{node_of(stage).id} neither failed nor finished; the log says why")
        else:
            self._check_same(stage, node, done)
            execution = done
        place, outputs = node_of(stage), folders(self.store.outputs(execution))
        cached = done is not None or place.lookup or is_cached(execution)
        artifact = outputs[place.output] / place.inside if place.output in outputs else None
        note_finished(self._recipe, self._run_id, stage, artifact, self._files.get(stage.name, ""))
        self._listener.finished(stage.name, artifact, cached=cached)
        if stage.name == "evaluate":
            check_blessed(outputs[place.output])
        return StageReport(stage.name, cached, time.monotonic() - started, artifact, outputs)

    def _keep_metadata(self) -> None:
        """Keeps the metadata of a run in a store, unless another process has taken over the run.

        Raises:
            TryAgain: One has.
        """
        if self._lease is not None:
            self._lease.check()
        keep(self._recipe.run_folder.resolve())

    def _check_upstream(self, stage: Stage, node: pipeline_pb2.PipelineNode) -> None:
        """Refuses a stage whose inputs are not there, or that follows an evaluation which failed."""
        for upstream in node.upstream_nodes:
            before = stage_of_node(upstream)
            execution = self.store.finished(self._nodes[upstream])
            if execution is None:
                what = f"stage `{stage.name}` needs `{before.name}`, which has not finished in run {self._run_id!r}"
                raise UserError(what, where="--stage", hint=f"Run --stage {before.name} with this --run-id first")
            if before.name == "evaluate":
                check_blessed(folders(self.store.outputs(execution))[node_of(before).output])

    def _check_same(self, stage: Stage, node: pipeline_pb2.PipelineNode, done: Execution) -> None:
        changed = changed_parameter(node, done)
        if changed is not None:
            what = f"stage `{stage.name}` ran under the run id {self._run_id!r} with another value of `{changed}`"
            raise UserError(what, where="--run-id", hint="Use a new run id after a change")

    def _launch(self, stage: Stage, node: pipeline_pb2.PipelineNode) -> None:
        if stage.name == "push" and not self._is_served():
            node.execution_options.caching_options.enable_cache = False
            while (self._pushed / str(int(time.time()))).exists():
                time.sleep(0.1)  # Pusher names a version by the second, and skips one that is there
        launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=Metadata(self._connection),
            pipeline_info=self._ir.pipeline_info,
            pipeline_runtime_spec=self._ir.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(self._deployment, node.node_info.id),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(self._deployment, node.node_info.id),
        ).launch()
        if stage.name == "push":
            self._share_pushed()

    def _share_pushed(self) -> None:
        """Stores the pushed files and those of the export once, where one file system holds both."""
        if self._is_served():
            if isinstance(self._pushed, StorePath):  # which has no links
                return
            versions = (path for path in self._pushed.glob("*") if path.name.isdigit())
            share_files(self._exported(), max(versions, key=lambda path: int(path.name)))

    def _exported(self) -> Path:
        """Returns the folder of this run's export."""
        exporter = node_of(STAGES["export"])
        execution = self.store.finished(self._nodes[exporter.id])
        assert execution is not None
        return folders(self.store.outputs(execution))[exporter.output] / exporter.inside

    def _is_served(self) -> bool:
        """Says whether the newest pushed folder is this run's model: if not, a cached push would be wrong.

        That happens after a return to an earlier recipe, and where the folder was removed.
        """
        exporter = node_of(STAGES["export"])
        execution = self.store.finished(self._nodes[exporter.id])
        versions = [path for path in self._pushed.glob("*") if path.name.isdigit()]
        if execution is None or not versions:
            return False
        newest = max(versions, key=lambda path: int(path.name)) / MANIFEST
        return newest.is_file() and newest.read_bytes() == (self._exported() / MANIFEST).read_bytes()
