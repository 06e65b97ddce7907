"""Builds the TFX pipeline of a recipe from the table of stages. Runs nothing, and reads no file of the recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow_data_validation as tfdv
from tfx.components import ExampleValidator, Pusher, SchemaGen, StatisticsGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts

from components.stage import component_class
from lstmlm.publish.places import RUN_ARTIFACTS
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Stage, node_of, pipeline_stages
from lstmlm.storage import StorePath
from pipelines.metadata.place import Connection, connection_for, pipeline_name
from pipelines.stores.filesystem import register
from pipelines.stores.staged import stage_locally

BEAM_ARGS = (
    # Beam's default runner first tries to download another one.
    "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",
    # Without an image named, TFX builds a source distribution of itself for every component.
    "--sdk_container_image=unused",
)

Files = Callable[[Stage], str]
"""Returns the fingerprint of the files that a stage reads and no stage made."""


def build_pipeline(
    recipe: Recipe,
    *,
    root: Path | str | None = None,
    pushed: Path | str | None = None,
    store: Connection | None = None,
    resolve: bool = True,
    files: Files | None = None,
) -> Pipeline:
    """Returns the pipeline of a recipe, from the corpus to the predictions.

    Args:
        recipe: The run.
        root: Where artifacts go; absent: `artifacts` in the run's folder.
        pushed: Where models that are good enough are pushed; absent: `pushed` in the run's folder.
        store: The ML Metadata store; absent: see `pipelines.metadata.place.connection_for`.
        resolve: Add a resolver node for the latest blessed model; some orchestrators do not support resolver nodes.
        files: Finds the files' fingerprints now; absent: each is the runtime parameter `files_parameter`, for a runner
            that finds them when a stage is about to run.

    Raises:
        UserError: What `files` raises, or the environment names no server of ML Metadata.
    """
    home = recipe.run_folder.resolve()
    register()
    return Pipeline(
        pipeline_name=pipeline_name(recipe.name, home) if root is None else recipe.name,
        pipeline_root=str(root or home / RUN_ARTIFACTS),
        components=_nodes(recipe, str(pushed or home / "pushed"), resolve, files),
        enable_cache=True,
        metadata_connection_config=store or connection_for(home),
        beam_pipeline_args=list(BEAM_ARGS),
    )


def files_parameter(stage: Stage) -> str:
    """Returns the name of the runtime parameter for the fingerprint of a stage's files."""
    return f"{stage.name}-files"


def _nodes(recipe: Recipe, pushed: str, resolve: bool, files: Files | None) -> list[BaseNode]:
    made: dict[str, BaseNode] = {}
    for stage in pipeline_stages():
        if stage.function:
            inputs = {one.name: _main_output(made, one.upstream) for one in stage.inputs}
            made[stage.name] = component_class(stage)(stage, recipe, inputs, _files(stage, files))
        elif stage.name == "push":
            made[stage.name] = _pusher(made, pushed)
        elif resolve or stage.name != "resolve":
            made[stage.name] = _STOCK[stage.name](made)
    if isinstance(recipe.run_folder, StorePath):
        stage_locally(made)
    for name, node in made.items():
        for earlier in node_of(STAGES[name]).after:
            if earlier in made:
                node.add_upstream_node(made[earlier])
    return list(made.values())


def _files(stage: Stage, files: Files | None) -> str | RuntimeParameter:
    if not stage.outside:
        return ""
    return RuntimeParameter(files_parameter(stage), str) if files is None else files(stage)


def _main_output(made: Mapping[str, BaseNode], stage: str) -> BaseChannel:
    return made[stage].outputs[node_of(STAGES[stage]).output]


def _statistics(made: Mapping[str, BaseNode]) -> BaseNode:
    # Ids are unique by construction: counting them would be most of the work.
    options = tfdv.StatsOptions(feature_allowlist=["source", "targets"])
    return StatisticsGen(examples=_main_output(made, "ingest"), stats_options=options)


def _schema(made: Mapping[str, BaseNode]) -> BaseNode:
    return SchemaGen(statistics=_main_output(made, "statistics"))


def _validator(made: Mapping[str, BaseNode]) -> BaseNode:
    return ExampleValidator(statistics=_main_output(made, "statistics"), schema=_main_output(made, "schema"))


def _latest_blessed_model(made: Mapping[str, BaseNode]) -> BaseNode:
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(node_of(STAGES["resolve"]).id)


def _pusher(made: Mapping[str, BaseNode], pushed: str) -> BaseNode:
    where = pusher_pb2.PushDestination.Filesystem(base_directory=pushed)
    return Pusher(
        model=_main_output(made, "export"),
        model_blessing=made["evaluate"].outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(filesystem=where),
    )


_STOCK: Mapping[str, Callable[[Mapping[str, BaseNode]], BaseNode]] = {
    "statistics": _statistics,
    "schema": _schema,
    "validate": _validator,
    "resolve": _latest_blessed_model,
}
"""Stage that is a node of TFX's own -> what makes it, from the nodes before it."""
