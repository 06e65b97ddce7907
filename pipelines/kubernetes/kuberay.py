"""A run on KubeRay: a RayJob with a cluster of its own, or on a RayCluster that stays."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.cluster import Resources
from pipelines.containers import SHARED_MEMORY
from pipelines.kubernetes.pods import RECIPE_FILE, SCRATCH, Container, Object, metadata, object_name, pod

AGENT_PORT = 52365
"""Of the dashboard's agent, which every node has and which answers for the health of its raylet."""
_HEALTH = {"httpGet": {"path": "/api/local_raylet_healthz", "port": AGENT_PORT}}
_ALIVE: Mapping[str, Object] = {
    # Ray takes minutes to start on a busy node.
    "startupProbe": _HEALTH | {"periodSeconds": 5, "failureThreshold": 60},
    "livenessProbe": _HEALTH | {"periodSeconds": 10, "failureThreshold": 12},
    "readinessProbe": _HEALTH | {"periodSeconds": 5, "failureThreshold": 3},
}


def ray_objects(recipe: Recipe, image: str, *, keep_cluster: bool) -> list[Object]:
    """Returns the objects that run a recipe on Ray.

    Args:
        recipe: The run.
        image: The image of every node.
        keep_cluster: Make a RayCluster that stays, and a RayJob on it; else the job's cluster ends with it.
    """
    job: Object = {
        "entrypoint": f"lstmlm run {RECIPE_FILE} --ray-address auto",
        # The operator submits by itself: another pod for that would have the rights of its image.
        "submissionMode": "HTTPMode",
    }
    found: list[Object] = [{"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata(recipe), "spec": job}]
    if keep_cluster:
        cluster = metadata(recipe, "cluster")
        job["clusterSelector"] = {"ray.io/cluster": cluster["name"]}
        ray = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": cluster, "spec": cluster_of(recipe, image)}
        return [ray, *found]
    job |= {
        "rayClusterSpec": cluster_of(recipe, image),
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": recipe.cluster.keep_seconds,
        "backoffLimit": recipe.cluster.resources("train").retries,
    }
    return found


def cluster_of(recipe: Recipe, image: str) -> Object:
    """Returns the specification of a cluster: a head, where the stages run, and a node for each worker of training."""
    training, head = recipe.training, recipe.cluster.resources("default")
    worker = _worker_resources(recipe)
    ports = {"gcs-server": 6379, "dashboard": 8265, "client": 10001}
    return {
        "rayVersion": importlib.metadata.version("ray"),
        "authOptions": {"mode": "token"},
        "headGroupSpec": {
            # No training on the head: the stages before and after it run there.
            "rayStartParams": {"num-cpus": "0", "temp-dir": f"{SCRATCH}/ray"},
            "template": _template(recipe, Container("ray-head", image, head, ports=ports, probes=_ALIVE), "head"),
        },
        "workerGroupSpecs": [
            {
                "groupName": "training",
                "replicas": training.most_workers,
                "minReplicas": training.fewest_workers,
                "maxReplicas": training.most_workers,
                "rayStartParams": {"temp-dir": f"{SCRATCH}/ray"},
                "template": _template(recipe, Container("ray-worker", image, worker, probes=_ALIVE), "worker"),
            }
        ],
    }


def _worker_resources(recipe: Recipe) -> Resources:
    found = recipe.cluster.resources("train")
    cpu = found.cpu or str(recipe.training.threads)
    gpus = int(recipe.training.use_gpu) if found.gpus is None else found.gpus  # each worker is a pod
    return found.model_copy(update={"cpu": cpu, "gpus": gpus})


def _template(recipe: Recipe, container: Container, role: str) -> Object:
    labels = {"app.kubernetes.io/instance": object_name(recipe), "app.kubernetes.io/component": role}
    return {"metadata": {"labels": labels}, "spec": pod(recipe, [container], shared_memory=SHARED_MEMORY)}
