"""Compiles a recipe to a Kubeflow pipeline. Needs the `kubeflow` extra, and no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import refuse_last_blessed
from pipelines.build import build_pipeline
from pipelines.containers import image_of, write_documents
from pipelines.kubeflow.parameters import MOUNT
from pipelines.kubeflow.platform import platform_specification
from pipelines.kubeflow.specification import COMMAND, complete


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
    chosen = image_of(recipe, image)
    # The open-source Kubeflow server refuses resolver nodes ("resolver not implemented yet").
    pipeline = build_pipeline(recipe, root=str(MOUNT), pushed=f"{recipe.name}/pushed", resolve=False)
    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        default_image=chosen, default_commands=COMMAND, display_name=recipe.name, use_pipeline_spec_2_1=True
    )
    job = kubeflow_v2_dag_runner.KubeflowV2DagRunner(config=config).run(pipeline, write_out=False)
    specification: dict[str, Any] = job["pipelineSpec"]
    complete(specification, recipe, chosen)
    write_documents([specification, platform_specification(recipe)], output, sort_keys=True)


def _refuse_last_blessed(recipe: Recipe) -> None:
    initial = recipe.training.initial
    named = {
        "training.initial": None if initial is None else initial.model,
        "evaluation.against": recipe.evaluation.against,
    }
    for field, model in named.items():
        refuse_last_blessed(model, field, "an export folder")
