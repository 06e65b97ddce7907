"""Builds the TFX pipeline of a recipe. Runs nothing."""

from __future__ import annotations

from pathlib import Path

import tensorflow_data_validation as tfdv
from ml_metadata.proto import metadata_store_pb2
from tfx.components import ExampleValidator, Pusher, SchemaGen, StatisticsGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types import Channel, standard_artifacts

from components.evaluator.component import Evaluator
from components.examples.component import BuildExamples
from components.exporter.component import Exporter
from components.inference.component import Inference
from components.ingest.component import Ingest
from components.tokenizer.component import Tokenizer
from components.trainer.component import Trainer
from lstmlm.recipe.recipe import Recipe
from pipelines.stages import stage_named

BEAM_ARGS = (
    # Beam's default runner first tries to download another one.
    "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",
    # Without an image named, TFX builds a source distribution of itself for every component.
    "--sdk_container_image=unused",
)

Connection = metadata_store_pb2.ConnectionConfig


def build_pipeline(
    recipe: Recipe,
    *,
    root: Path | str | None = None,
    pushed: Path | str | None = None,
    store: Connection | None = None,
    resolve: bool = True,
) -> Pipeline:
    """Returns the pipeline of a recipe, from the corpus to the predictions.

    Args:
        recipe: The run.
        root: Where artifacts go; absent: `artifacts` in the run's folder.
        pushed: Where models that are good enough are pushed; absent: `pushed` in the run's folder.
        store: The ML Metadata store; absent: SQLite in the run's folder.
        resolve: Have a node that finds the last model that was good enough; not every orchestrator knows such nodes.

    Raises:
        UserError: The corpus or the input of the batch job cannot be read.
    """
    home = recipe.run_folder.resolve()
    if store is None:
        store = metadata.sqlite_metadata_connection_config(str(home / "metadata.sqlite"))
    return Pipeline(
        pipeline_name=recipe.name,
        pipeline_root=str(root or home / "artifacts"),
        components=_nodes(recipe, str(pushed or home / "pushed"), resolve),
        enable_cache=True,
        metadata_connection_config=store,
        beam_pipeline_args=list(BEAM_ARGS),
    )


def _nodes(recipe: Recipe, pushed: str, resolve: bool) -> list[BaseNode]:
    ingest = Ingest(recipe)
    records = ingest.outputs["records"]
    tokenizer = Tokenizer(recipe, records)
    pieces = tokenizer.outputs["tokenizer"]
    examples = BuildExamples(recipe, records, pieces)
    trainer = Trainer(recipe, examples.outputs["examples"], pieces)
    exporter = Exporter(recipe, trainer.outputs["model"], pieces)
    model = exporter.outputs["model"]
    evaluator = Evaluator(recipe, model, records)
    pusher = Pusher(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=pushed)
        ),
    )
    inference = Inference(recipe, pusher.outputs["pushed_model"], records)
    steps = [ingest, *_validation(ingest), tokenizer, examples, trainer, exporter, evaluator, pusher, inference]
    return [*steps, _latest_blessed_model(exporter, evaluator)] if resolve else steps


def _validation(ingest: Ingest) -> list[BaseNode]:
    # Ids are unique by construction: counting them would be most of the work.
    options = tfdv.StatsOptions(feature_allowlist=["source", "targets"])
    statistics = StatisticsGen(examples=ingest.outputs["records"], stats_options=options)
    schema = SchemaGen(statistics=statistics.outputs["statistics"])
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"])
    return [statistics, schema, validator]


def _latest_blessed_model(exporter: Exporter, evaluator: Evaluator) -> Resolver:
    resolver = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(stage_named("resolve").node)
    # Between the two, so that it finds the last good model before this run's is evaluated. It is no input of the
    # evaluator: it changes with every run, so nothing after it would be cached.
    resolver.add_upstream_node(exporter)
    evaluator.add_upstream_node(resolver)
    return resolver
