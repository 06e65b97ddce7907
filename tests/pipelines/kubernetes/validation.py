"""What is wrong with a manifest: by Kubernetes' schemas, by those of the operators, and by what a safe pod is."""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import referencing
import yaml

STRICT = "v1.33.0-local-strict"
"""Kubernetes' schemas, from the package `kubernetes-validate`."""
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
CORE = ("ConfigMap", "CronJob", "Deployment", "Job", "Service")
OPERATORS = {
    "RayJob": "ray.io_rayjobs.yaml",
    "RayCluster": "ray.io_rayclusters.yaml",
    "FlinkDeployment": "flinkdeployments.flink.apache.org-v1.yml",
}
"""Kind -> file of its CustomResourceDefinition."""


def schema_faults(manifest: dict[str, Any], schemas: Path | None = None) -> Iterator[str]:
    """Yields what Kubernetes' strict schemas refuse in an object of its own, or an operator's in one of theirs."""
    if manifest["kind"] in CORE:
        yield from _core_faults(manifest)
    elif schemas is not None:
        yield from _operator_faults(manifest, schemas / OPERATORS[manifest["kind"]])


def pod_faults(manifest: dict[str, Any]) -> Iterator[str]:
    """Yields what is wrong with the pods of an object: as objects by themselves, and as the restricted profile says."""
    for place, pod in pods(manifest, manifest["kind"]):
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pod}
        yield from (f"{place}: {fault}" for fault in _core_faults(whole))
        yield from (f"{place}: {fault}" for fault in _rights(pod))


def pods(content: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the specification of every pod in an object, wherever a field has containers."""
    if isinstance(content, dict):
        if "containers" in content:
            yield place, content
        for key, value in content.items():
            yield from pods(value, f"{place}.{key}")
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from pods(value, f"{place}[{number}]")


def _core_faults(manifest: dict[str, Any]) -> Iterator[str]:
    group = manifest["apiVersion"].replace("/", "-")
    yield from _messages(_core_validator(f"{manifest['kind'].lower()}-{group}"), manifest)


def _operator_faults(manifest: dict[str, Any], path: Path) -> Iterator[str]:
    yield from _messages(_operator_validator(path, manifest["apiVersion"].rpartition("/")[2]), manifest)


def _messages(validator: jsonschema.Draft202012Validator, manifest: dict[str, Any]) -> Iterator[str]:
    for error in validator.iter_errors(manifest):
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


@functools.cache
def _core_validator(name: str) -> jsonschema.Draft202012Validator:
    """As `kubernetes_validate.validate`, which reads the definitions, megabytes, again for each object."""
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / STRICT
    schema, definitions = (json.loads((folder / f"{one}.json").read_text()) for one in (name, "_definitions"))
    registry = referencing.Resource.from_contents(definitions) @ referencing.Registry()
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def _operator_validator(path: Path, version: str) -> jsonschema.Draft202012Validator:
    definition = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    (schema,) = (one["schema"]["openAPIV3Schema"] for one in definition["spec"]["versions"] if one["name"] == version)
    kept = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": kept}
    return jsonschema.Draft202012Validator(strict(schema))


def strict(schema: Any) -> Any:
    """Returns a schema that refuses unknown fields, as `kubectl` does, where the schema does not say to keep them."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict(value) for key, value in schema.items()}
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    if isinstance(schema.get("properties"), dict) and "type" in schema and not open_ended:
        inner.setdefault("additionalProperties", False)
    return inner


def _rights(pod: dict[str, Any]) -> Iterator[str]:
    whole = pod.get("securityContext", {})
    if whole.get("runAsNonRoot") is not True:
        yield "may run as root"
    if whole.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "has a token of Kubernetes"
    for one in pod["containers"]:
        name, own = one["name"], one.get("securityContext", {})
        user = own.get("runAsUser", whole.get("runAsUser"))
        if not isinstance(user, int) or user == 0:
            yield f"{name}: user {user!r} is root or no number"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{name}: writable root"
        if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name}: has capabilities, or may get some"
        limits = one.get("resources", {}).get("limits", {})
        if not {"cpu", "memory"} <= set(limits):
            yield f"{name}: no limits"
        for amount in (*limits.values(), *one.get("resources", {}).get("requests", {}).values()):
            if not QUANTITY.fullmatch(str(amount)):
                yield f"{name}: {amount!r} is no quantity"
        for variable in one.get("env", ()):
            if "value" in variable and re.search("SECRET|PASSWORD|TOKEN|KEY", variable["name"]):
                yield f"{name}: the value of {variable['name']} is written out"
