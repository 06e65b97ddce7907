"""Compiles a recipe to a Kubeflow pipeline. Needs the `kubeflow` extra, and no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner

from lstmlm.recipe.recipe import Recipe
from pipelines.build import build_pipeline

IMAGE = "lstmlm:latest"
MOUNT = "/mnt/lstmlm"
"""Where the image expects the file system that all steps share."""


def compile_kubeflow(recipe: Recipe, output: Path, image: str | None = None) -> None:
    """Writes the pipeline specification that `kfp` and the Kubeflow Pipelines server read.

    Args:
        recipe: The run. The corpus is fingerprinted now, so it must be readable here, too.
        output: The file to write, YAML.
        image: The container image of every step; absent: what `deploy/docker` builds.

    Raises:
        UserError: The corpus or the input of the batch job cannot be read.
    """
    home = f"{MOUNT}/{recipe.name}"
    # The open-source Kubeflow server refuses resolver nodes ("resolver not implemented yet").
    pipeline = build_pipeline(
        recipe,
        root=f"{home}/artifacts",
        pushed=f"{home}/pushed",
        resolve=False,
        files=lambda stage: stage.outside_fingerprint(recipe),
    )
    config = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        default_image=image or IMAGE, display_name=recipe.name, use_pipeline_spec_2_1=True
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(config=config)
    job = runner.run(pipeline, write_out=False)
    specification: dict[str, Any] = job["pipelineSpec"]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        yaml.safe_dump(specification, sort_keys=True, allow_unicode=True, width=1_000_000), encoding="utf-8"
    )
