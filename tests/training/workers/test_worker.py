"""One worker without Ray: it learns, resumes bit for bit, and says what is wrong."""

import json

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import publish
from lstmlm.training.metrics.log import read_metrics
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker

pytestmark = pytest.mark.slow


class Killed(Exception):
    """Simulates the end of the process between a checkpoint and the next."""


def weights(folder):
    newest = sorted(folder.glob("step-*"))[-1]
    with np.load(newest / "arrays.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def train(recipe, stages, work, report=lambda row: None):
    work.mkdir(exist_ok=True)
    return train_worker(recipe, stages / "examples", stages / "tokenizer", work, SingleWorker(), report)


def tokenizer_of(size, folder):
    with publish(folder, "tokenizer") as draft:
        draft.facts["vocabulary"] = size
    return folder


def training_losses(work):
    return {row["step"]: row["loss"] for row in read_metrics(work / "metrics.jsonl") if "loss" in row}


def change(recipe, **training):
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})


def test_the_loss_falls(recipe, stages, tmp_path):
    position = train(change(recipe, steps=40, learning_rate=0.01), stages, tmp_path / "work")
    rows = [json.loads(line) for line in (tmp_path / "work" / "metrics.jsonl").read_text().splitlines()]
    losses = [row["valid_loss"] for row in rows if "valid_loss" in row]
    assert position.step == 40
    assert losses[-1] < losses[0] < np.log(600) + 0.1
    assert position.losses == losses


def test_a_resumed_run_ends_bit_identical(recipe, stages, tmp_path):
    train(recipe, stages, tmp_path / "whole")

    def die(row):
        if row["step"] == 6:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, stages, tmp_path / "broken", die)  # the newest checkpoint is of step 4
    assert [p.name for p in sorted((tmp_path / "broken").glob("step-*"))] == ["step-00000004"]
    train(recipe, stages, tmp_path / "broken")
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert whole.keys() == broken.keys()
    assert all(np.array_equal(whole[name], broken[name]) for name in whole)
    # Step 10 is the first row: its mean loss has the steps before the checkpoint in it.
    assert training_losses(tmp_path / "broken") == training_losses(tmp_path / "whole")


def test_resuming_in_a_later_epoch_continues_there(recipe, stages, tmp_path):
    long = change(recipe, batch=256, steps=10, checkpoint_every=7, evaluate_every=8)
    position = train(long, stages, tmp_path / "whole")
    assert position.epoch > 0

    def die(row):
        raise Killed

    with pytest.raises(Killed):
        train(long, stages, tmp_path / "broken", die)
    assert train(long, stages, tmp_path / "broken") == position
    assert all(
        np.array_equal(a, b)
        for a, b in zip(weights(tmp_path / "whole").values(), weights(tmp_path / "broken").values(), strict=True)
    )


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(recipe, stages, tmp_path, caplog):
    train(recipe, stages, tmp_path / "work")
    expected = weights(tmp_path / "work")
    newest = sorted((tmp_path / "work").glob("step-*"))[-1] / "arrays.npz"
    damaged = bytearray(newest.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    newest.write_bytes(damaged)
    position = train(recipe, stages, tmp_path / "work")
    assert "skipped a damaged checkpoint" in caplog.text
    assert position.step == recipe.training.steps
    assert all(np.array_equal(expected[name], value) for name, value in weights(tmp_path / "work").items())


def test_only_the_newest_checkpoints_stay(recipe, stages, tmp_path):
    train(change(recipe, checkpoint_every=2, keep=2), stages, tmp_path / "work")
    assert [p.name for p in sorted((tmp_path / "work").glob("step-*"))] == ["step-00000010", "step-00000012"]


def test_a_batch_larger_than_the_data_is_an_error(recipe, stages, tmp_path):
    with pytest.raises(UserError, match=r"larger than the data.*training\.batch"):
        train(change(recipe, batch=1_000_000), stages, tmp_path / "work")


def test_divergence_names_the_last_good_checkpoint(recipe, stages, tmp_path):
    wild = change(recipe, learning_rate=1e30, clip=1e30, warmup=8, checkpoint_every=1, steps=30)
    with pytest.raises(UserError, match=r"not a finite number at step \d+.*(step-0000|no checkpoint)"):
        train(wild, stages, tmp_path / "work")


def test_a_checkpoint_of_another_recipe_is_refused_with_what_differs(recipe, stages, tmp_path):
    train(recipe, stages, tmp_path / "work")
    wider = recipe.model_copy(update={"model": recipe.model.model_copy(update={"units": 32})})
    with pytest.raises(UserError, match=r"another recipe: model\.units was 24 and is 32"):
        train(wider, stages, tmp_path / "work")


def test_averages_schedules_and_the_carried_state_resume_bit_identical(recipe, stages, tmp_path):
    plan = {"optimizer": "nt_asgd", "non_monotone": 1, "learning_rate": 40.0, "warmup": 0, "schedule": "plateau"}
    long = change(recipe, steps=24, evaluate_every=3, keep_best=3, **plan)

    def die(row):
        if row["step"] == 18:
            raise Killed

    whole = train(long, stages, tmp_path / "whole")
    with pytest.raises(Killed):
        train(long, stages, tmp_path / "broken", die)
    assert train(long, stages, tmp_path / "broken") == whole
    whole_weights, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert np.any(whole_weights["state|0|h"])
    assert not np.array_equal(whole_weights["average|layer_0|kernel"], whole_weights["layer_0|kernel"])
    assert all(np.array_equal(whole_weights[name], broken[name]) for name in whole_weights)
    kept = [sorted(path.name for path in (tmp_path / name).glob("best-*")) for name in ("whole", "broken")]
    assert kept[0] == kept[1] == [f"best-{step:08d}.npz" for step in sorted(whole.best_steps(3))]


def test_the_average_is_what_is_evaluated_and_kept(recipe, stages, tmp_path):
    position = train(change(recipe, ema=0.9), stages, tmp_path / "work")
    with np.load(tmp_path / "work" / f"best-{position.best_steps(1)[0]:08d}.npz") as best:
        last = weights(tmp_path / "work")
        assert position.best_steps(1) == [12]
        np.testing.assert_array_equal(best["projection|kernel"], last["average|projection|kernel"])
        assert not np.array_equal(best["projection|kernel"], last["projection|kernel"])


def test_it_stops_early_and_stays_stopped(recipe, stages, tmp_path):
    # A rate this small changes no loss for the better.
    plan = change(recipe, learning_rate=1e-30, steps=40, evaluate_every=2, early_stop=3)
    position = train(plan, stages, tmp_path / "work")
    assert position.step == 8
    assert [p.name for p in sorted((tmp_path / "work").glob("step-*"))][-1] == "step-00000008"
    assert train(plan, stages, tmp_path / "work") == position


def test_examples_of_another_vocabulary_are_refused(recipe, stages, tmp_path):
    (tmp_path / "work").mkdir()
    smaller = tokenizer_of(300, tmp_path / "smaller")
    with pytest.raises(
        UserError, match=r"contain token id \d+, but the vocabulary has only 300 tokens.*examples stage again"
    ):
        train_worker(recipe, stages / "examples", smaller, tmp_path / "work", SingleWorker(), lambda row: None)
    train(recipe, stages, tmp_path / "work")
    with pytest.raises(
        UserError, match=r"another recipe: vocabulary\.fingerprint was .* vocabulary\.size was 600 and is 300"
    ):
        train_worker(recipe, stages / "examples", smaller, tmp_path / "work", SingleWorker(), lambda row: None)
