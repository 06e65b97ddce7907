"""The compiled Kubeflow pipeline: equal to a golden file, and readable by kfp. Write the golden file anew with

LSTMLM_UPDATE_GOLDEN=1 python -m pytest tests/pipelines/kubeflow/test_compile.py
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipelines.kubeflow.conftest import IMAGE, compiled

if TYPE_CHECKING:
    from tests.pipelines.kubeflow.conftest import Compiled, MakeTiny

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

GOLDEN = Path(__file__).with_name("compiled.golden.yaml")
CLUSTER: dict[str, Any] = {
    "stages": {
        "default": {"cpu": "500m", "memory": "2Gi", "retries": 1},
        "train": {"cpu": "4", "gpus": 2, "node_selector": {"pool": "gpu"}, "retries": 3},
    },
    "volumes": [{"claim": "corpora", "path": "/corpora"}],
    "secrets": [{"variable": "AWS_SECRET_ACCESS_KEY", "secret": "bucket", "key": "secret-key"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def pipeline(tiny: MakeTiny, folder: Path) -> Compiled:
    return compiled(tiny(folder, **CLUSTER), folder)


def container(pipeline: Compiled, node: str) -> Any:
    return pipeline[0]["deploymentSpec"]["executors"][f"{node}_executor"]["container"]


def normalised(text: str, folder: Path) -> str:
    text = text.replace(str(folder), "FOLDER")
    text = re.sub(r"sdkVersion: tfx-[\d.]+", "sdkVersion: tfx-VERSION", text)
    return re.sub(r"\b[0-9a-f]{64}\b", "SHA256", text)


def test_the_specification_is_as_it_was(pipeline: Compiled, folder: Path) -> None:
    found = normalised((folder / "pipeline.yaml").read_text(encoding="utf-8"), folder)
    if os.environ.get("LSTMLM_UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_compiling_twice_gives_the_same_bytes(pipeline: Compiled, tiny: MakeTiny, folder: Path, tmp_path: Path) -> None:
    compiled(tiny(folder, **CLUSTER), tmp_path)
    assert (tmp_path / "pipeline.yaml").read_bytes() == (folder / "pipeline.yaml").read_bytes()


def test_kfp_reads_it(pipeline: Compiled, folder: Path) -> None:
    components = pytest.importorskip("kfp.components")
    loaded = components.load_component_from_file(str(folder / "pipeline.yaml"))
    assert loaded.name == "tiny"
    tasks = loaded.pipeline_spec.root.dag.tasks
    assert {"Files", "Ingest", "Trainer", "Evaluator", "Pusher", "Inference"} <= set(tasks)
    assert "Evaluator" in tasks["Pusher"].dependent_tasks
    assert tasks["Trainer"].retry_policy.max_retry_count == 3
    assert loaded.pipeline_spec.root.input_definitions.parameters["steps"].default_value.number_value == 3
    executors = list(loaded.pipeline_spec.deployment_spec["executors"].values())
    # The open-source server runs only containers: no resolver nodes.
    assert [list(executor.keys()) for executor in executors] == [["container"]] * len(executors)
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
    platform = loaded.platform_spec.platforms["kubernetes"].deployment_spec.executors
    assert platform["Trainer_executor"]["nodeSelector"]["labels"]["pool"] == "gpu"


def test_a_stage_gets_its_resources_and_those_of_the_default(pipeline: Compiled) -> None:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    def resources(node: str) -> Any:
        schema = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec()
        return json_format.ParseDict(container(pipeline, node)["resources"], schema)  # refuses what it does not know

    trainer, ingest = resources("Trainer"), resources("Ingest")
    assert (trainer.resource_cpu_limit, trainer.cpu_limit) == ("4", 4.0)
    assert (trainer.resource_memory_limit, trainer.memory_limit) == ("2Gi", pytest.approx(2.147483648))
    assert (trainer.accelerator.resource_type, trainer.accelerator.resource_count) == ("nvidia.com/gpu", "2")
    assert (ingest.resource_cpu_request, ingest.cpu_request) == ("500m", 0.5)
    assert not ingest.HasField("accelerator")


def test_pods_get_volumes_and_secrets_by_their_names(pipeline: Compiled) -> None:
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2 as schema

    for found in pipeline[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        pod = json_format.ParseDict(found, schema.KubernetesExecutorConfig())  # refuses what it does not know
        assert [(volume.constant, volume.mount_path) for volume in pod.pvc_mount] == [("corpora", "/corpora")]
        (secret,) = pod.secret_as_env
        assert secret.secret_name == "bucket"
        assert [one.env_var for one in secret.key_to_env] == ["AWS_SECRET_ACCESS_KEY"]


def test_training_on_gpus_asks_for_one_per_worker(tiny: MakeTiny, tmp_path: Path) -> None:
    recipe = tiny(tmp_path)
    trained = recipe.model_copy(update={"training": recipe.training.model_copy(update={"use_gpu": True, "workers": 4})})
    found = compiled(trained, tmp_path)
    assert container(found, "Trainer")["resources"]["accelerator"]["count"] == "4"
    assert "resources" not in container(found, "Ingest")


def test_the_title_of_every_artifact_is_a_path_that_tfx_can_import(pipeline: Compiled) -> None:
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
    from tfx.types.artifact import Artifact
    from tfx.utils import import_utils

    schemas = {
        one["artifactType"]["instanceSchema"]
        for component in pipeline[0]["components"].values()
        for side in ("inputDefinitions", "outputDefinitions")
        for one in component.get(side, {}).get("artifacts", {}).values()
    }
    assert any("Tokenizer" in schema for schema in schemas)
    for schema in schemas:
        kind = pipeline_spec_pb2.ArtifactTypeSchema(instance_schema=schema)
        path = kubeflow_v2_entrypoint_utils._retrieve_class_path(kind)
        assert issubclass(import_utils.import_class_by_path(path), Artifact)


def test_fingerprints_are_read_when_a_run_starts(pipeline: Compiled) -> None:
    tasks = pipeline[0]["root"]["dag"]["tasks"]
    assert tasks["Files"]["cachingOptions"] == {}
    read = {name: task["inputs"]["parameters"].get("files") for name, task in tasks.items()}
    led = {
        name: one["taskOutputParameter"]["outputParameterKey"]
        for name, one in read.items()
        if one and len(one) == 1 and "taskOutputParameter" in one
    }
    assert led == {
        "Ingest": "ingest",
        "Tokenizer": "tokenizer",
        "Trainer": "train",
        "Evaluator": "evaluate",
        "Inference": "infer",
    }
    assert "-files" not in json.dumps(pipeline[0]["root"]["inputDefinitions"])
