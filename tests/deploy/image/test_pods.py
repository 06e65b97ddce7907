"""The Pods of `lstmlm render`, run by `podman play kube`: it reads Pods, so the template of a CronJob is one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lstmlm.recipe.file import parse_recipe
from pipelines.kubernetes.render import render

if TYPE_CHECKING:
    from tests.deploy.image.engine import Engine

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]
CLUSTER = """
cluster:
  stages: {train: {cpu: "2", memory: 6Gi}}
  volumes: [{claim: shared, path: /data}]
  schedule: "5 4 * * 1"
"""
NAME, VOLUME = "tiny", "shared"
PROBE = "id -u; grep CapBnd /proc/self/status; head -1 /etc/lstmlm/recipe.yaml"
WRITE = "touch /data/a /tmp/b && echo writes; touch /c"


def manifests(
    data: Path, image: str, overrides: Sequence[str] = (), command: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Returns the ConfigMap of a recipe, and the Pod that its CronJob would start; a command replaces the Pod's."""
    text = (data / "tiny.yaml").read_text(encoding="utf-8") + CLUSTER
    recipe, cron = render(parse_recipe(text, "tiny.yaml", overrides), "cron", image=image)
    spec = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    if command:
        (container,) = spec["containers"]
        del container["args"]
        container["command"] = list(command)
    return [
        recipe,
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "labels": {"app": NAME}}, "spec": spec},
    ]


@contextlib.contextmanager
def played(engine: Engine, data: Path, objects: list[dict[str, Any]]) -> Iterator[tuple[int, str, Path]]:
    """Plays objects until the container ends; yields its exit code, what it printed, and the folder of the volume."""
    file = data / "pod.yaml"
    file.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    engine.podman("volume", "create", VOLUME)
    volume = Path(engine.podman("volume", "inspect", "--format", "{{.Mountpoint}}", VOLUME).stdout.strip())
    shutil.copytree(data, volume, dirs_exist_ok=True)
    for path in (volume, *volume.iterdir()):
        os.chown(path, 1000, 1000)  # what `fsGroup` does in Kubernetes
    try:
        engine.podman("play", "kube", "--network", "none", file)
        container = f"{NAME}-lstmlm"
        code = int(engine.podman("wait", container).stdout)
        logs = engine.podman("logs", container)
        yield code, logs.stdout + logs.stderr, volume
    finally:
        engine.podman("play", "kube", "--down", file, check=False)
        engine.podman("volume", "rm", "--force", VOLUME, check=False)


def test_a_rendered_pod_has_its_recipe_and_no_rights(engine: Engine, data: Path) -> None:
    objects = manifests(data, engine.base(), command=["sh", "-c", f"{PROBE}; {WRITE}; exit 3"])
    with played(engine, data, objects) as (code, printed, volume):
        assert code == 3
        assert "1000\nCapBnd:\t0000000000000000\nname: tiny\nwrites\n" in printed
        assert "cannot touch '/c': Read-only file system" in printed
        assert (volume / "a").is_file()


def test_a_rendered_pod_runs_the_whole_recipe(engine: Engine, image: str, data: Path) -> None:
    with played(engine, data, manifests(data, image)) as (code, printed, volume):
        assert code == 0, printed[-3000:]
        assert list(volume.glob("runs/tiny/artifacts/Pusher/pushed_model/*/manifest.json"))


def test_a_pod_with_too_little_memory_says_so(engine: Engine, image: str, data: Path) -> None:
    objects = manifests(data, image, ["cluster.stages.train.memory=300Mi"])
    with played(engine, data, objects) as (code, printed, volume):
        assert code in (75, 137), printed[-3000:]
        found = json.loads((volume / "runs" / "tiny" / "failure.json").read_text(encoding="utf-8"))
        assert found["cause"].startswith("out of memory: the kernel ended a process at the limit of 300Mi")
