"""Rendered manifests: valid, without rights, and refused by the same checks after a mistake."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lstmlm.cli.app import run
from lstmlm.errors import UserError
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from pipelines.kubernetes.render import render
from tests.pipelines.kubernetes.validation import pod_faults, pods, schema_faults

RECIPE = """
name: news_daily
task: generate
output: /data/runs
corpus: {root: /data/corpora, train: news.txt}
training: {workers: [1, 3], threads: 2, use_gpu: true}
cluster:
  image: registry.example.org/lstmlm:1
  namespace: nlp
  stages:
    default: {cpu: "1", memory: 6Gi}
    train: {memory: 3Gi, node_selector: {pool: gpu}, retries: 2}
  volumes: [{claim: shared, path: /data}]
  secrets: [{variable: AWS_SECRET_ACCESS_KEY, secret: bucket, key: secret-key}]
  schedule: "5 4 * * 1"
  keep_seconds: 600
"""
Objects = list[dict[str, Any]]
TARGETS = {
    "kuberay": ["ConfigMap", "RayJob"],
    "kuberay, kept": ["ConfigMap", "RayCluster", "RayJob"],
    "flink": ["ConfigMap", "FlinkDeployment", "Service", "Deployment", "Job"],
    "cron": ["ConfigMap", "CronJob"],
}


@pytest.fixture(scope="module")
def schemas(root: Path) -> Path:
    """The CustomResourceDefinitions of the operators."""
    folder = Path(os.environ.get("LSTMLM_SCHEMAS") or root.parent / "shared" / "schemas").resolve()
    if not folder.is_dir():
        pytest.skip(f"no schemas at {folder}: set LSTMLM_SCHEMAS to a folder with the definitions of KubeRay and Flink")
    return folder


def recipe() -> Recipe:
    return parse_recipe(RECIPE, "recipe.yaml")


def objects(target: str) -> Objects:
    name, _, kept = target.partition(", ")
    return render(recipe(), name, keep_cluster=bool(kept))


def only(target: str, kind: str) -> dict[str, Any]:
    (found,) = (one for one in objects(target) if one["kind"] == kind)
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_rendered_is_valid_and_its_pods_have_no_rights(target: str) -> None:
    found = objects(target)
    assert [one["kind"] for one in found] == TARGETS[target]
    for one in found:
        assert list(schema_faults(one)) == []
        assert list(pod_faults(one)) == []
        assert one["metadata"]["namespace"] == "nlp"
        for _, pod in pods(one, ""):
            for container in pod["containers"]:
                secrets = [variable for variable in container["env"] if "valueFrom" in variable]
                assert secrets[0]["valueFrom"] == {"secretKeyRef": {"name": "bucket", "key": "secret-key"}}


@pytest.mark.parametrize("target", ["kuberay", "kuberay, kept", "flink"])
def test_operators_take_what_is_rendered(target: str, schemas: Path) -> None:
    for one in objects(target):
        assert list(schema_faults(one, schemas)) == []


def misspell(pod: dict[str, Any]) -> None:
    pod["containers"][0]["comand"] = ["true"]


def bad_quantity(pod: dict[str, Any]) -> None:
    pod["containers"][0]["resources"]["limits"]["memory"] = "4 GB"


def as_root(pod: dict[str, Any]) -> None:
    pod["securityContext"] |= {"runAsUser": 0, "runAsNonRoot": False}
    pod["containers"][0]["securityContext"]["runAsUser"] = 0


def without_limits(pod: dict[str, Any]) -> None:
    del pod["containers"][0]["resources"]["limits"]


def written_secret(pod: dict[str, Any]) -> None:
    pod["containers"][0]["env"].append({"name": "AWS_SECRET_ACCESS_KEY", "value": "a"})


@pytest.mark.parametrize("mistake", [misspell, bad_quantity, as_root, without_limits, written_secret])
@pytest.mark.parametrize("target", TARGETS)
def test_a_mistake_in_a_pod_is_found(target: str, mistake: Callable[[dict[str, Any]], None]) -> None:
    checked = 0
    for one in objects(target):
        for number, _ in enumerate(pods(one, "")):
            changed = copy.deepcopy(one)
            mistake(list(pods(changed, ""))[number][1])
            assert list(pod_faults(changed))
            checked += 1
    assert checked or target == "kuberay, kept"


@pytest.mark.parametrize("target", ["kuberay", "kuberay, kept", "flink", "cron"])
def test_a_misspelt_field_of_an_object_is_found(target: str, schemas: Path) -> None:
    for one in objects(target)[1:]:
        changed = copy.deepcopy(one)
        changed["spec"]["ttlSecondsAfterFinish"] = 1
        assert list(schema_faults(changed, schemas)), one["kind"]


def test_the_schemas_of_kuberay_find_a_bad_quantity(schemas: Path) -> None:
    changed = only("kuberay", "RayJob")
    for _, pod in pods(changed, ""):
        bad_quantity(pod)
    assert list(schema_faults(changed, schemas))


def test_a_ray_job_has_a_node_for_each_worker_and_ends_with_its_cluster() -> None:
    spec = only("kuberay", "RayJob")["spec"]
    assert (spec["shutdownAfterJobFinishes"], spec["ttlSecondsAfterFinished"], spec["backoffLimit"]) == (True, 600, 2)
    cluster = spec["rayClusterSpec"]
    (group,) = cluster["workerGroupSpecs"]
    assert (group["minReplicas"], group["replicas"], group["maxReplicas"]) == (1, 3, 3)
    (worker,) = group["template"]["spec"]["containers"]
    assert worker["resources"]["limits"] == {"cpu": "1", "memory": "3Gi", "nvidia.com/gpu": "1"}
    assert group["template"]["spec"]["nodeSelector"] == {"pool": "gpu"}
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    assert head["resources"]["limits"] == {"cpu": "1", "memory": "6Gi"}
    assert cluster["authOptions"] == {"mode": "token"}
    for one in (head, worker):
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(one)


def test_a_cluster_that_stays_is_selected_by_the_job() -> None:
    cluster, job = only("kuberay, kept", "RayCluster"), only("kuberay, kept", "RayJob")
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    assert "rayClusterSpec" not in job["spec"]
    assert "shutdownAfterJobFinishes" not in job["spec"]


def test_a_cron_job_goes_by_the_exit_codes() -> None:
    spec = only("cron", "CronJob")["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("5 4 * * 1", "Forbid")
    job = spec["jobTemplate"]["spec"]
    assert (job["backoffLimit"], job["ttlSecondsAfterFinished"]) == (2, 600)
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2, 3]
    (container,) = job["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "3"  # all workers are in this pod
    assert container["image"] == "registry.example.org/lstmlm:1"


def test_the_pods_get_the_recipe_as_it_is() -> None:
    (text,) = only("cron", "ConfigMap")["data"].values()
    assert parse_recipe(text, "recipe.yaml") == recipe()


@pytest.mark.parametrize("field", ["output", "corpus.root"])
def test_a_place_that_no_volume_holds_is_refused(field: str) -> None:
    elsewhere = parse_recipe(RECIPE, "recipe.yaml", [f"{field}=/elsewhere"])
    with pytest.raises(UserError, match=rf"^{field}: /elsewhere is on no volume of the pods. Name a volume"):
        render(elsewhere, "cron")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the recipe."""
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "recipe.yaml", "--target", "cron", "-o", "cron.yaml"]) == 0
    assert capsys.readouterr().out == "cron.yaml: ConfigMap news-daily-recipe, CronJob news-daily\n"
    assert list(yaml.safe_load_all((folder / "cron.yaml").read_text())) == objects("cron")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "nomad"], "--target: no target named 'nomad'. There are: kuberay, flink, cron"),
        (["--target", "cron", "--keep-cluster"], "--keep-cluster: only for --target kuberay. Leave it out"),
        (["--target", "cron", "--set", "cluster.stages.trian.cpu=1"], "no stage has the name 'trian'. Did you mean"),
        (["--target", "cron", "--set", "cluster.stages.train.memory=4 GB"], "--set cluster.stages.train.memory"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run(["render", "recipe.yaml", *words, "-o", "out.yaml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (folder / "out.yaml").exists()
