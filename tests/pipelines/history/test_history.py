"""Runs and lineage are read from ML Metadata, also where a stage failed and where the folder was moved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.cli.app import run
from lstmlm.errors import UserError

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeRecipe, Stages

pytestmark = [pytest.mark.tfx, pytest.mark.slow]


def listed(place: Path, capfd: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    assert run(["--json", "runs", str(place)]) == 0
    said = capfd.readouterr().out  # the log, which pytest captures in its own way, comes before
    rows: list[dict[str, str]] = json.loads(said[said.index("{") :])["rows"]
    return rows


def test_runs_are_listed_the_newest_first_with_what_became_of_them(
    make_recipe: MakeRecipe, stages: Stages, capfd: pytest.CaptureFixture[str]
) -> None:
    from pipelines.local import run_local

    recipe = make_recipe()
    stages.broken = {"train": RuntimeError("the network fell over")}
    with pytest.raises(RuntimeError):
        run_local(recipe, run_id="first")
    (failed,) = listed(recipe.run_folder, capfd)
    assert (failed["run"], failed["state"], failed["model"]) == ("first", "failed in train", "")
    stages.broken = {}
    run_local(recipe, run_id="first")
    run_local(recipe, run_id="second")
    second, first = listed(recipe.run_folder.parent, capfd)  # the folder of all recipes' runs
    assert (second["run"], second["state"]) == ("second", "finished")
    assert second["stages"].endswith(", 11 cached")
    assert (first["run"], first["state"], first["result"]) == ("first", "finished", "perplexity 50")
    assert (recipe.run_folder / first["model"] / "saved_model.pb").is_file()
    stages.perplexity = 500.0
    with pytest.raises(UserError):
        run_local(make_recipe(training={"steps": 3}), run_id="third")
    third = listed(recipe.run_folder, capfd)[0]
    assert third["result"] == "perplexity 500, not blessed"


def test_lineage_leads_back_to_the_corpus_wherever_the_folder_is(
    make_recipe: MakeRecipe, stages: Stages, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from pipelines.history.lineage import lineage
    from pipelines.local import run_local

    recipe = make_recipe()
    report = run_local(recipe)
    moved = tmp_path / "moved"
    shutil.move(recipe.run_folder, moved)
    export = moved / report.artifacts["export"].relative_to(recipe.run_folder.resolve())
    found = lineage(export)
    assert found.made is not None
    assert (found.made.stage, found.kind) == ("export", "export")
    inputs = dict(found.inputs)
    assert set(inputs) == {"training_run", "tokenizer"}
    (records,) = [one for key, one in inputs["tokenizer"].inputs if key == "records"]
    assert records.made is not None
    assert records.made.stage == "ingest"
    assert records.artifact.is_dir()
    assert records.artifact.is_relative_to(moved)
    assert len(records.made.properties["files"]) == 64
    assert run(["lineage", str(export / "saved_model.pb")]) == 0
    lines = capfd.readouterr().out.splitlines()
    lines = lines[lines.index(str(export.parent)) :]
    assert [line.split()[2] for line in lines if "made by" in line] == [
        "export,",
        "train,",
        "examples,",
        "ingest,",
        "tokenizer,",
    ]
    assert sum("see above" in line for line in lines) >= 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs", "absent"], "absent: no runs here"),
        (["lineage", "absent"], "not in the folder of a run"),
        (["lineage", "home/artifacts/x"], "not an ML Metadata database"),
        (["runs", "home"], "not an ML Metadata database"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "metadata.sqlite").write_bytes(b"something else" * 1000)
    assert run(words) == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("lstmlm: ")
    assert message in line
