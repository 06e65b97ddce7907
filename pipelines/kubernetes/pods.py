"""Pods that run without rights: non-root, a read-only root, no capabilities, limits, secrets by reference.

As the profile "restricted" of Kubernetes' Pod Security Standards asks for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.cluster import Resources

Object = dict[str, Any]

USER = 1000
"""Of the image of `deploy/docker`; a number, for Kubernetes does not know which names are root's."""
RECIPE_FOLDER = "/etc/lstmlm"
RECIPE_FILE = f"{RECIPE_FOLDER}/recipe.yaml"
SCRATCH = "/tmp"
DEFAULT_CPU, DEFAULT_MEMORY = "1", "4Gi"
"""Where the recipe says nothing: a container without limits takes what others on its node need."""


@dataclasses.dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod.

    Attributes:
        name: Its name.
        image: Its image.
        resources: What it gets.
        command: What it runs; empty: what the operator or the image says.
        arguments: Arguments of the command or the image.
        ports: Name -> number.
        probes: `livenessProbe`, `readinessProbe` and the like.
        user: Its user, a number.
        writable: Folders of the image that it writes to.
    """

    name: str
    image: str
    resources: Resources
    command: Sequence[str] = ()
    arguments: Sequence[str] = ()
    ports: Mapping[str, int] = dataclasses.field(default_factory=dict)
    probes: Mapping[str, Object] = dataclasses.field(default_factory=dict)
    user: int = USER
    writable: Sequence[str] = ()


def pod(recipe: Recipe, containers: Sequence[Container], *, shared_memory: str = "", **fields: Any) -> Object:
    """Returns the specification of a pod.

    Args:
        recipe: The run: volumes, secrets and names.
        containers: What runs in it.
        shared_memory: Size of `/dev/shm`, where Ray has its objects; empty: the 64 MB of the container runtime.
        fields: Further fields of the specification.
    """
    volumes = {
        "recipe": {"configMap": {"name": recipe_name(recipe)}},
        "scratch": {"emptyDir": {"sizeLimit": "20Gi"}},
    }
    places = {"recipe": RECIPE_FOLDER, "scratch": SCRATCH}
    if shared_memory:
        volumes["shared-memory"] = {"emptyDir": {"medium": "Memory", "sizeLimit": shared_memory}}
        places["shared-memory"] = "/dev/shm"
    for number, volume in enumerate(recipe.cluster.volumes):
        volumes[f"data-{number}"] = {"persistentVolumeClaim": {"claimName": volume.claim}}
        places[f"data-{number}"] = volume.path
    mounts = [
        {"name": name, "mountPath": path} | ({"readOnly": True} if name == "recipe" else {})
        for name, path in places.items()
    ]
    selectors = {key: value for one in containers for key, value in one.resources.node_selector.items()}
    return {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(recipe, one, mounts) for one in containers],
        "volumes": [{"name": name} | volume for name, volume in volumes.items()],
        **({"nodeSelector": selectors} if selectors else {}),
        **fields,
    }


def _container(recipe: Recipe, one: Container, mounts: Sequence[Object]) -> Object:
    amounts = {"cpu": one.resources.cpu or DEFAULT_CPU, "memory": one.resources.memory or DEFAULT_MEMORY}
    if one.resources.gpus:
        amounts[recipe.cluster.gpu] = str(one.resources.gpus)
    secrets = [
        {"name": secret.variable, "valueFrom": {"secretKeyRef": {"name": secret.secret, "key": secret.key}}}
        for secret in recipe.cluster.secrets
    ]
    own = [{"name": "scratch", "mountPath": path, "subPath": path.strip("/")} for path in one.writable]
    found: Object = {
        "name": one.name,
        "image": one.image,
        "securityContext": {
            "runAsUser": one.user,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"limits": amounts, "requests": amounts},
        "env": [{"name": "HOME", "value": SCRATCH}, *secrets],
        "volumeMounts": [*mounts, *own],
        **one.probes,
    }
    if one.command:
        found["command"] = list(one.command)
    if one.arguments:
        found["args"] = list(one.arguments)
    if one.ports:
        found["ports"] = [{"name": name, "containerPort": number} for name, number in one.ports.items()]
    return found


def object_name(recipe: Recipe, *parts: str) -> str:
    """Returns the name of an object: Kubernetes takes no underscores."""
    return "-".join((recipe.name.replace("_", "-").strip("-"), *parts))


def metadata(recipe: Recipe, *parts: str) -> Object:
    """Returns the metadata of an object: name, namespace and labels."""
    labels = {"app.kubernetes.io/name": "lstmlm", "app.kubernetes.io/instance": object_name(recipe)}
    found: Object = {"name": object_name(recipe, *parts), "labels": labels}
    if recipe.cluster.namespace is not None:
        found["namespace"] = recipe.cluster.namespace
    return found


def recipe_name(recipe: Recipe) -> str:
    """Returns the name of the ConfigMap with the recipe."""
    return object_name(recipe, "recipe")
