"""Adds to TFX's pipeline specification what its compiler leaves out: parameters, fingerprints, resources, retries."""

from __future__ import annotations

from typing import Any

from components.properties import FILES, RECIPE
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.cluster import amount
from lstmlm.stages import node_of, pipeline_stages
from pipelines.build import files_parameter
from pipelines.kubeflow.files import FILES_EXECUTOR, stages_with_files
from pipelines.kubeflow.parameters import FILES_TASK, PARAMETERS

COMMAND = ["python", "-m", "pipelines.kubeflow.step"]
FILES_NODE = "Files"
GIGABYTE = 1e9
"""Bytes in the unit of `memoryLimit`."""

Specification = dict[str, Any]


def complete(specification: Specification, recipe: Recipe, image: str) -> None:
    """Completes what TFX's compiler made of the pipeline of a recipe, in place.

    Args:
        specification: The `PipelineSpec`, schema 2.1.
        recipe: The run.
        image: Image of the step that is added.
    """
    _add_files_task(specification, recipe, image)
    _take_fingerprints(specification)
    _add_parameters(specification, recipe)
    _add_resources(specification, recipe)


def executor_label(node: str) -> str:
    """Returns the label of the executor of a node."""
    return f"{node}_executor"


def nodes() -> dict[str, str]:
    """Returns the node of each stage by the stage's name, and that of the step before them."""
    compiled = {stage.name: node_of(stage).id for stage in pipeline_stages() if stage.name != "resolve"}
    return {FILES_TASK: FILES_NODE, **compiled}


def _add_files_task(specification: Specification, recipe: Recipe, image: str) -> None:
    """Adds the step that reads fingerprints; never cached, since files are no input that Kubeflow knows of."""
    specification["components"][FILES_NODE] = {
        "executorLabel": executor_label(FILES_NODE),
        "inputDefinitions": {"parameters": {RECIPE: {"parameterType": "STRING"}}},
        "outputDefinitions": {"parameters": {stage.name: {"parameterType": "STRING"} for stage in stages_with_files()}},
    }
    specification["deploymentSpec"]["executors"][executor_label(FILES_NODE)] = {
        "container": {
            "image": image,
            "command": COMMAND,
            "args": ["--executor_class_path", FILES_EXECUTOR, "--json_serialized_invocation_args", "{{$}}"],
        }
    }
    constant = {"runtimeValue": {"constant": recipe.model_dump_json()}}
    specification["root"]["dag"]["tasks"][FILES_NODE] = {
        "componentRef": {"name": FILES_NODE},
        "taskInfo": {"name": FILES_NODE},
        "cachingOptions": {},
        "inputs": {"parameters": {RECIPE: constant}},
    }


def _take_fingerprints(specification: Specification) -> None:
    """Leads the fingerprints from that step to the stages, in the place of parameters of the run."""
    asked = specification["root"]["inputDefinitions"]["parameters"]
    for stage in stages_with_files():
        del asked[files_parameter(stage)]
        task = specification["root"]["dag"]["tasks"][node_of(stage).id]
        produced = {"producerTask": FILES_NODE, "outputParameterKey": stage.name}
        task["inputs"]["parameters"][FILES] = {"taskOutputParameter": produced}
        task["dependentTasks"] = sorted({*task.get("dependentTasks", ()), FILES_NODE})


def _add_parameters(specification: Specification, recipe: Recipe) -> None:
    asked = specification["root"]["inputDefinitions"]["parameters"]
    for one in PARAMETERS:
        asked[one.name] = {
            "parameterType": one.kind,
            "defaultValue": one.default(recipe),
            "description": one.description,
        }
        for node in (nodes()[name] for name in one.stages):
            task, component = specification["root"]["dag"]["tasks"][node], specification["components"][node]
            task["inputs"]["parameters"][one.name] = {"componentInputParameter": one.name}
            component["inputDefinitions"]["parameters"][one.name] = {"parameterType": one.kind}


def _add_resources(specification: Specification, recipe: Recipe) -> None:
    for stage, node in nodes().items():
        given, found = recipe.resources(stage), dict[str, Any]()
        if given.cpu is not None:
            # Servers before 2.4 read numbers, later ones what Kubernetes would.
            found |= {"resourceCpuLimit": given.cpu, "resourceCpuRequest": given.cpu}
            found |= {"cpuLimit": amount(given.cpu), "cpuRequest": amount(given.cpu)}
        if given.memory is not None:
            found |= {"resourceMemoryLimit": given.memory, "resourceMemoryRequest": given.memory}
            number = amount(given.memory) / GIGABYTE
            found |= {"memoryLimit": number, "memoryRequest": number}
        if given.gpus:
            kind = recipe.cluster.gpu
            count = str(given.gpus)
            found["accelerator"] = {"resourceType": kind, "resourceCount": count, "type": kind, "count": count}
        if found:
            specification["deploymentSpec"]["executors"][executor_label(node)]["container"]["resources"] = found
        if given.retries:
            policy = {"maxRetryCount": given.retries, "backoffDuration": "30s", "backoffFactor": 2.0}
            specification["root"]["dag"]["tasks"][node]["retryPolicy"] = policy
