"""The entry of a step: folders, parameters, exit codes; without TFX."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components.properties import RECIPE, STAGE
from components.recipe_sections import read_sections, sections
from lstmlm.errors import UserError
from lstmlm.stages import STAGES
from pipelines.kubeflow.files import FILES_EXECUTOR
from pipelines.kubeflow.invocation import Invocation
from pipelines.kubeflow.places import ROOT, local_path
from pipelines.kubeflow.step import STAGE_EXECUTOR

if TYPE_CHECKING:
    from tests.pipelines.kubeflow.conftest import MakeTiny

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file system of the container."""
    monkeypatch.setenv(ROOT, str(tmp_path / "pod"))
    return tmp_path / "pod"


def executor_input(folder: Path, values: dict[str, Any], output: str = "records", **artifacts: Any) -> str:
    outputs = {output: {"artifacts": [{"name": output, "uri": f"minio://bucket/run/{output}"}]}}
    output_file = str(folder / "outputs" / "metadata.json")
    return json.dumps(
        {
            "inputs": {"parameterValues": values, "artifacts": artifacts},
            "outputs": {"artifacts": outputs, "outputFile": output_file},
        }
    )


def start(executor: str, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.kubeflow.step", "--executor_class_path", executor]
    command += ["--json_serialized_invocation_args", text, "--runner=unused"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [("s3://b/k/x", "s3/b/k/x"), ("gs://b/k", "gcs/b/k"), ("minio://mlpipeline/v2/a", "minio/mlpipeline/v2/a")],
)
def test_a_uri_is_where_the_launcher_puts_it(
    uri: str, folder: str, launcher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local_path(uri) == launcher / folder
    monkeypatch.delenv(ROOT)
    assert local_path(uri) == Path("/") / folder


@pytest.mark.parametrize("uri", ["hdfs://b/k", "/mnt/x", "s3://"])
def test_a_uri_without_a_folder_is_refused(uri: str) -> None:
    with pytest.raises(UserError, match="no folder for this artifact"):
        local_path(uri)


def test_folders_of_outputs_are_made_and_their_uris_kept(tmp_path: Path, launcher: Path) -> None:
    invocation = Invocation.read(executor_input(tmp_path, {}))
    invocation.make_folders()
    assert (launcher / "minio" / "bucket" / "run" / "records").is_dir()
    invocation.write_output({"records": {"split_names": '["train"]'}})
    (written,) = json.loads(invocation.output_file.read_text())["artifacts"]["records"]["artifacts"]
    assert written["uri"] == "minio://bucket/run/records"
    assert written["metadata"] == {"split_names": '["train"]'}
    assert str(launcher) in invocation.with_local_paths()


def test_parameters_of_the_run_take_the_place_of_compiled_fields(tiny: MakeTiny, tmp_path: Path) -> None:
    recipe = sections(tiny(tmp_path), STAGES["train"])
    values = {RECIPE: recipe, "output": "/elsewhere", "steps": 7.0}
    found = Invocation.read(executor_input(tmp_path, values)).parameters
    assert set(found) == {RECIPE}
    changed = read_sections(found[RECIPE])
    assert (changed.training.steps, changed.run_folder) == (7, Path("/elsewhere/tiny"))
    assert changed.model == read_sections(recipe).model
    destination = json.dumps({"filesystem": {"base_directory": "tiny/pushed"}})
    pushed = Invocation.read(executor_input(tmp_path, {"push_destination": destination, "output": "/o"})).parameters
    assert json.loads(pushed["push_destination"]) == {"filesystem": {"base_directory": "/o/tiny/pushed"}}


@pytest.mark.parametrize("steps", [0.0, -3.0, 1.5])
def test_a_wrong_parameter_is_one_line_with_its_name(tiny: MakeTiny, tmp_path: Path, steps: float) -> None:
    values = {RECIPE: sections(tiny(tmp_path), STAGES["train"]), STAGE: "train", "steps": steps}
    done = start(STAGE_EXECUTOR, executor_input(tmp_path, values))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("lstmlm: parameter steps: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_corpus_that_is_not_there_is_exit_code_2(tiny: MakeTiny, tmp_path: Path) -> None:
    values = {RECIPE: tiny(tmp_path).model_dump_json(), "corpus_root": str(tmp_path / "nowhere")}
    content = json.loads(executor_input(tmp_path, values))
    content["outputs"]["parameters"] = {"ingest": {"outputFile": str(tmp_path / "ingest")}}
    done = start(FILES_EXECUTOR, json.dumps(content))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("lstmlm: ")
    assert "nowhere" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_model_that_was_not_pushed_is_exit_code_3(tiny: MakeTiny, tmp_path: Path) -> None:
    values = {RECIPE: sections(tiny(tmp_path), STAGES["infer"]), STAGE: "infer"}

    def handed(name: str, **metadata: Any) -> Any:
        return {"artifacts": [{"name": name, "uri": f"minio://bucket/{name}", "metadata": metadata}]}

    inputs = {"pushed_model": handed("model", pushed=0.0), "records": handed("records")}
    done = start(STAGE_EXECUTOR, executor_input(tmp_path, values, "predictions", **inputs))
    assert done.returncode == 3, done.stderr
    assert "not good enough" in done.stderr.splitlines()[-1]


def test_an_internal_error_is_exit_code_1_with_a_traceback(tmp_path: Path) -> None:
    done = start(STAGE_EXECUTOR, executor_input(tmp_path, {STAGE: "no such stage", RECIPE: "{}"}))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("lstmlm: internal error (KeyError")


def test_a_step_of_this_project_imports_no_tfx() -> None:
    code = (
        "import sys, pipelines.kubeflow.stage, pipelines.kubeflow.files; "
        "sys.exit(' '.join({'tfx', 'kfp', 'ml_metadata', 'tensorflow'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
