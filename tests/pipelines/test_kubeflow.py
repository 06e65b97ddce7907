"""The compiled Kubeflow pipeline: equal to a golden file, and readable by kfp. Write the golden file anew with

LSTMLM_UPDATE_GOLDEN=1 python -m pytest tests/pipelines/test_kubeflow.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeRecipe

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

GOLDEN = Path(__file__).with_name("kubeflow.golden.yaml")
IMAGE = "registry.example.org/lstmlm:1"


@pytest.fixture
def specification(make_recipe: MakeRecipe, tmp_path: Path) -> Path:
    from pipelines.kubeflow import compile_kubeflow

    output = tmp_path / "compiled" / "tiny.yaml"
    compile_kubeflow(make_recipe(), output, IMAGE)
    return output


def normalised(text: str, folder: Path) -> str:
    text = text.replace(str(folder), "FOLDER")
    text = re.sub(r"sdkVersion: tfx-[\d.]+", "sdkVersion: tfx-VERSION", text)
    return re.sub(r"\b[0-9a-f]{64}\b", "SHA256", text)


def test_the_specification_is_as_it_was(specification: Path, tmp_path: Path) -> None:
    found = normalised(specification.read_text(encoding="utf-8"), tmp_path)
    if os.environ.get("LSTMLM_UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_compiling_twice_gives_the_same_bytes(specification: Path, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    from pipelines.kubeflow import compile_kubeflow

    compile_kubeflow(make_recipe(), tmp_path / "again.yaml", IMAGE)
    assert (tmp_path / "again.yaml").read_bytes() == specification.read_bytes()


def test_kfp_reads_it(specification: Path) -> None:
    components = pytest.importorskip("kfp.components")
    loaded = components.load_component_from_file(str(specification))
    assert loaded.name == "tiny"
    tasks = loaded.pipeline_spec.root.dag.tasks
    assert {"Ingest", "Trainer", "Evaluator", "Pusher", "Inference"} <= set(tasks)
    assert "Evaluator" in tasks["Pusher"].dependent_tasks
    executors = list(loaded.pipeline_spec.deployment_spec["executors"].values())
    # The open-source server runs only containers: no resolver nodes.
    assert [list(executor.keys()) for executor in executors] == [["container"]] * len(executors)
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
