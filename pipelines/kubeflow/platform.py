"""The second document of the compiled pipeline: what Kubernetes gives the pods of the steps."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from kfp.kubernetes import kubernetes_executor_config_pb2 as schema

from lstmlm.recipe.recipe import Recipe
from pipelines.containers import SHARED_MEMORY
from pipelines.kubeflow.specification import executor_label, nodes


def platform_specification(recipe: Recipe) -> dict[str, Any]:
    """Returns node selectors, volumes and variables from Secrets for each step, as `kfp-kubernetes` describes them."""
    executors = {
        executor_label(node): json_format.MessageToDict(_configuration(recipe, stage))
        for stage, node in nodes().items()
    }
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def _configuration(recipe: Recipe, stage: str) -> schema.KubernetesExecutorConfig:
    found = schema.KubernetesExecutorConfig()
    found.node_selector.labels.update(recipe.resources(stage).node_selector)
    for volume in recipe.cluster.volumes:
        found.pvc_mount.add(constant=volume.claim, mount_path=volume.path)
    for one in recipe.cluster.secrets:
        variable = schema.SecretAsEnv.SecretKeyToEnvMap(secret_key=one.key, env_var=one.variable)
        found.secret_as_env.add(secret_name=one.secret, key_to_env=[variable])
    if stage == "train":
        found.enabled_shared_memory.volume_name = "shm"
        found.enabled_shared_memory.size = SHARED_MEMORY
    return found
