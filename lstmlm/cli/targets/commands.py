"""`lstmlm compile` and `lstmlm render`: a recipe as a pipeline, and as manifests of Kubernetes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lstmlm.checks.needs import EXPORT, need_package
from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured
from lstmlm.cli.options import Overrides, RecipePath, local_path, read_recipe
from lstmlm.errors import UserError

PIPELINES = ("kubeflow",)
MANIFESTS = ("kuberay", "flink", "cron")

Written = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.", callback=local_path)
]
Image = Annotated[str | None, typer.Option(help="Container image; absent: `cluster.image` of the recipe.")]


def compile(
    recipe: RecipePath,
    target: Annotated[str, typer.Option(metavar="NAME", help=f"For which scheduler: {', '.join(PIPELINES)}.")],
    output: Written,
    image: Image = None,
    overrides: Overrides = None,
) -> None:
    """Write the recipe as a pipeline of another scheduler."""
    _check_target(target, PIPELINES)
    need_package("kfp", "kubeflow")
    # The files may be where the pipeline runs, and not here.
    loaded = read_recipe(recipe, overrides, (EXPORT,))
    with captured(output.parent / f"{output.name}.log") as terminal, Screen(terminal) as screen:
        line = screen.stage("compile")
        from pipelines.kubeflow.compile import compile_kubeflow

        compile_kubeflow(loaded, output, image)
        screen.summary([line.finish(output, cached=False)])


def render(
    recipe: RecipePath,
    target: Annotated[str, typer.Option(metavar="NAME", help=f"Which objects: {', '.join(MANIFESTS)}.")],
    output: Written,
    image: Image = None,
    keep_cluster: Annotated[
        bool, typer.Option("--keep-cluster", help="kuberay: a RayCluster that stays, and a RayJob on it.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Write the manifests that run the recipe on Kubernetes: a RayJob, a FlinkDeployment or a CronJob."""
    from pipelines.kubernetes.render import render as rendered
    from pipelines.kubernetes.render import write_manifests

    _check_target(target, MANIFESTS)
    if keep_cluster and target != "kuberay":
        raise UserError("only for --target kuberay", where="--keep-cluster", hint="Leave it out")
    objects = rendered(read_recipe(recipe, overrides, (EXPORT,)), target, image=image, keep_cluster=keep_cluster)
    write_manifests(objects, output)
    names = ", ".join(f"{one['kind']} {one['metadata']['name']}" for one in objects)
    typer.echo(f"{output}: {names}")


def _check_target(target: str, known: Sequence[str]) -> None:
    if target not in known:
        raise UserError(f"no target named {target!r}", where="--target", hint=f"There are: {', '.join(known)}")
