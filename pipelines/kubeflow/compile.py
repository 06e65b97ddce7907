"""Compiles a recipe to a Kubeflow pipeline. Needs the `kubeflow` extra, and no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import LAST_BLESSED
from pipelines.build import build_pipeline
from pipelines.kubeflow.parameters import MOUNT
from pipelines.kubeflow.platform import platform_specification
from pipelines.kubeflow.specification import COMMAND, complete

IMAGE = "lstmlm:latest"


def compile_kubeflow(recipe: Recipe, output: Path, image: str | None = None) -> None:
    """Writes the pipeline that `kfp` and the Kubeflow Pipelines server read. No file of the recipe is read.

    Args:
        recipe: The run.
        output: The file to write, YAML: the specification, and what is specific to Kubernetes.
        image: The container image of every step; absent: the recipe's, or what `deploy/docker` builds.

    Raises:
        UserError: The recipe names the model that was blessed last, which a run on Kubeflow does not know.
    """
    _refuse_last_blessed(recipe)
    chosen = image or recipe.cluster.image or IMAGE
    # The open-source Kubeflow server refuses resolver nodes ("resolver not implemented yet").
    pipeline = build_pipeline(recipe, root=str(MOUNT), pushed=f"{recipe.name}/pushed", resolve=False)
    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        default_image=chosen, default_commands=COMMAND, display_name=recipe.name, use_pipeline_spec_2_1=True
    )
    job = kubeflow_v2_dag_runner.KubeflowV2DagRunner(config=config).run(pipeline, write_out=False)
    specification: dict[str, Any] = job["pipelineSpec"]
    complete(specification, recipe, chosen)
    documents = [specification, platform_specification(recipe)]
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as stream:
        text = yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True, width=1_000_000)
        stream.write(text.encode())


def _refuse_last_blessed(recipe: Recipe) -> None:
    initial = recipe.training.initial
    named = {
        "training.initial": None if initial is None else initial.model,
        "evaluation.against": recipe.evaluation.against,
    }
    for field, model in named.items():
        if model == LAST_BLESSED:
            hint = "Name an export folder, or leave it out"
            raise UserError("`last_blessed` is known in `lstmlm run` only", where=field, hint=hint)
