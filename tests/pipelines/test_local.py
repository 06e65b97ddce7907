"""The local runner, with quick fakes of the stages after ingest; the stock TFX components are real."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.errors import BelowThreshold, UserError
from lstmlm.progress import Silent
from lstmlm.stages import STAGES, pipeline_stages

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe
    from tests.pipelines.conftest import MakeRecipe, Stages

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

ALL = [stage.name for stage in pipeline_stages()]
FAKED = ["tokenizer", "examples", "train", "export", "evaluate", "infer"]


class Recorder:
    """Keeps what a listener receives."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.progress: list[float] = []

    def waiting(self, reason: str) -> None:
        raise AssertionError(reason)

    def started(self, stage: str) -> Recorder:
        self.events.append((stage, "started"))
        return self

    def finished(self, stage: str, artifact: Path | None, *, cached: bool) -> None:
        assert artifact is None or artifact.is_dir()
        self.events.append((stage, "cached" if cached else "ran"))

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        self.progress.append(done)

    def outcomes(self) -> dict[str, str]:
        return {stage: what for stage, what in self.events if what != "started"}


def versions(folder: Path) -> list[Path]:
    return sorted((folder / "pushed").glob("*"))


def test_a_run_makes_everything_and_a_rerun_nothing(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    recipe, first, second = make_recipe(), Recorder(), Recorder()
    report = run_local(recipe, listener=first)
    assert sorted(report.artifacts) == sorted(set(ALL) - {"resolve"})  # nothing was blessed before
    assert [event for event in first.events if event[0] == "train"] == [("train", "started"), ("train", "ran")]
    assert 2 in first.progress
    assert (report.artifacts["infer"] / "predictions-00000-of-00001.jsonl").read_text() == "2"
    (pushed,) = versions(recipe.run_folder)
    for name in ("weights.npz", "saved_model.pb", "manifest.json"):  # no second copy is stored
        assert os.path.samefile(pushed / name, report.artifacts["export"] / name)
    assert stages.calls() == FAKED
    again = run_local(recipe, listener=second)
    assert stages.calls() == []
    assert second.outcomes() == dict.fromkeys(ALL, "cached")
    assert again.artifacts["infer"] == report.artifacts["infer"]
    assert again.artifacts["resolve"] == report.artifacts["export"]
    assert len(versions(recipe.run_folder)) == 1


def test_a_change_runs_what_depends_on_it(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    run_local(make_recipe())
    stages.calls()
    run_local(make_recipe(decoding={"max_tokens": 9}))
    assert stages.calls() == ["export", "evaluate", "infer"]


def test_going_back_to_an_earlier_recipe_pushes_its_model_again(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    old, new = make_recipe(), make_recipe(training={"steps": 3})
    for recipe, weights in ((old, "2"), (new, "3"), (old, "2")):
        run_local(recipe)
        newest = versions(recipe.run_folder)[-1]
        assert (newest / "saved_model.pb").read_text() == weights
    shutil.rmtree(old.run_folder / "pushed")
    run_local(old)
    assert (versions(old.run_folder)[-1] / "saved_model.pb").read_text() == "2"


def test_a_model_below_the_threshold_is_not_pushed_today_nor_from_the_cache(
    make_recipe: MakeRecipe, stages: Stages
) -> None:
    from pipelines.local import run_local

    run_local(make_recipe())
    served = versions(make_recipe().run_folder)
    worse = make_recipe(training={"steps": 9})
    stages.calls()
    stages.perplexity = 500.0
    for expected in (["train", "export", "evaluate"], []):
        with pytest.raises(BelowThreshold, match="perplexity is 500, above the maximum of 100"):
            run_local(worse)
        assert stages.calls() == expected
    assert versions(worse.run_folder) == served


def test_a_failure_reaches_the_caller_and_the_next_run_goes_on_from_there(
    make_recipe: MakeRecipe, stages: Stages
) -> None:
    from pipelines.local import run_local

    recipe = make_recipe()
    stages.broken["train"] = UserError("the disk is full", hint="Free some space")
    with pytest.raises(UserError, match=r"the disk is full\. Free some space"):
        run_local(recipe, run_id="a")
    left = recipe.run_folder / "artifacts" / "Trainer" / "model"
    assert not any(left.glob("*"))
    stages.broken.clear()
    stages.calls()
    run_local(recipe, run_id="a")  # the same run is resumed
    assert stages.calls() == ["train", "export", "evaluate", "infer"]
    stages.broken["train"] = UserError("the disk is full")
    longer = make_recipe(training={"steps": 7})
    with pytest.raises(UserError):
        run_local(longer)
    stages.broken.clear()
    stages.calls()
    run_local(longer)  # a new run takes what is done from the cache
    assert stages.calls() == ["train", "export", "evaluate", "infer"]


def test_stages_run_one_by_one(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.finished import finished_artifact
    from pipelines.local import run_local

    recipe = make_recipe()
    with pytest.raises(UserError, match=r"needs `ingest`.*Run --stage ingest"):
        run_local(recipe, run_id="one", stage="tokenizer")
    for stage in ALL:
        report = run_local(recipe, run_id="one", stage=stage)
        assert [found.stage for found in report.stages] == [stage]
        assert finished_artifact(recipe, "one", STAGES[stage]) == report.artifacts.get(stage)
    assert stages.calls() == FAKED
    recorder = Recorder()
    run_local(recipe, run_id="one", stage="train", listener=recorder)
    assert recorder.outcomes() == {"train": "cached"}
    assert stages.calls() == []
    with pytest.raises(UserError, match="Use a new run id"):
        run_local(make_recipe(training={"steps": 3}), run_id="one", stage="train")
    with pytest.raises(UserError, match="no stage named"):
        run_local(recipe, run_id="one", stage="trian")


def test_nothing_after_a_failed_evaluation_runs_as_a_single_stage(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    recipe = make_recipe()
    stages.perplexity = 500.0
    with pytest.raises(BelowThreshold):
        run_local(recipe, run_id="one")
    for stage in ("evaluate", "push"):
        with pytest.raises(BelowThreshold):
            run_local(recipe, run_id="one", stage=stage)
    with pytest.raises(UserError, match="needs `push`"):
        run_local(recipe, run_id="one", stage="infer")
    assert versions(recipe.run_folder) == []


def test_other_text_in_the_corpus_file_runs_everything(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    recipe = make_recipe()
    run_local(recipe)
    stages.calls()
    with (recipe.corpus.root / "train.txt").open("a", encoding="utf-8") as stream:
        stream.write("one line more\n")
    run_local(recipe)
    assert stages.calls() == FAKED


def test_a_run_hashes_the_corpus_once_and_a_single_stage_only_what_it_reads(
    make_recipe: MakeRecipe, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmlm.corpus.sources import files
    from pipelines.local import run_local

    hashed: list[str] = []
    plain = files.sha256_file

    def counting(path: Path) -> str:
        hashed.append(path.name)
        return plain(path)

    monkeypatch.setattr(files, "sha256_file", counting)
    recipe = make_recipe()
    run_local(recipe, run_id="one")
    assert hashed == ["train.txt"]
    files._local_checksum.cache_clear()  # as in a process of its own
    run_local(recipe, run_id="one", stage="train")
    assert hashed == ["train.txt"]


def test_the_default_listener_is_silent() -> None:
    from pipelines.local import SilentListener

    listener = SilentListener()
    assert isinstance(listener.started("train"), Silent)
    listener.finished("train", None, cached=True)


def test_a_run_starts_from_the_last_model_that_was_good_enough(make_recipe: MakeRecipe, stages: Stages) -> None:
    from pipelines.local import run_local

    def recipe(steps: int) -> Recipe:
        initial = {"initial": {"model": "last_blessed"}, "steps": steps}
        return make_recipe(training=initial, evaluation={"against": "last_blessed"})

    first = run_local(recipe(2), run_id="1")
    second = run_local(recipe(3), run_id="2")
    stages.perplexity = 500.0
    with pytest.raises(BelowThreshold):
        run_local(recipe(4), run_id="3")
    stages.perplexity = 50.0
    run_local(recipe(5), run_id="4")
    assert stages.initial == [None, *(report.artifacts["export"] for report in (first, second, second))]
    stages.calls()
    # The second run again: it began with the first one's model, whatever was blessed since.
    run_local(recipe(3), run_id="2")
    assert stages.calls() == []


def test_a_run_for_another_scheduler_cannot_start_from_the_last_blessed_model(make_recipe: MakeRecipe) -> None:
    from pipelines.kubeflow.compile import compile_kubeflow

    recipe = make_recipe(training={"initial": {"model": "last_blessed"}})
    with pytest.raises(UserError, match=r"^training\.initial: `last_blessed` is known in `lstmlm run` only"):
        compile_kubeflow(recipe, Path("unused.yaml"))
