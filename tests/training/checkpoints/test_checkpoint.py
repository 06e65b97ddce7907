"""Errors of checkpoints that cannot be written or read; resuming is tested in test_worker."""

import errno

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models import weights
from lstmlm.training.checkpoints import checkpoint
from lstmlm.training.checkpoints.checkpoint import Position, append_json, check_space, restore_newest, save_checkpoint
from lstmlm.training.metrics.log import read_metrics

RECIPE = {"seed": 1, "model": {"units": 8, "layers": 1}}


def test_a_checkpoint_gives_back_what_was_saved(tmp_path):
    variable = tf.Variable([1.0, 2.0])
    position = Position(7, 1, 3, [5], [2.5], [2.5])
    save_checkpoint(tmp_path, {"a/b": variable}, position, RECIPE, 2)
    variable.assign([0.0, 0.0])
    assert restore_newest(tmp_path, {"a/b": variable}, RECIPE) == position
    np.testing.assert_array_equal(variable, [1.0, 2.0])


def test_a_checkpoint_of_another_recipe_names_every_field_that_differs(tmp_path):
    save_checkpoint(tmp_path, {}, Position(7), RECIPE, 2)
    now = {"seed": 2, "model": {"units": 8, "layers": 3}}
    with pytest.raises(UserError, match=r"another recipe: model\.layers was 1 and is 3; seed was 1 and is 2"):
        restore_newest(tmp_path, {}, now)


def test_no_space_leaves_the_checkpoints_before(tmp_path, monkeypatch):
    variable = tf.Variable([1.0])
    save_checkpoint(tmp_path, {"a": variable}, Position(1), RECIPE, 1)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(weights.np, "savez", full)
    with pytest.raises(UserError, match=r"step-00000002: no space left on the disk\. Free some and run again"):
        save_checkpoint(tmp_path, {"a": variable}, Position(2), RECIPE, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert restore_newest(tmp_path, {"a": variable}, RECIPE).step == 1


def test_too_small_a_disk_is_reported_at_the_start(tmp_path, monkeypatch):
    usage = checkpoint.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda folder: usage._replace(free=11_000_000))
    variables = {"a": tf.Variable(tf.zeros([1_000_000]))}
    check_space(tmp_path, variables, 2)
    with pytest.raises(UserError, match="checkpoints need 12 MB, but only 11 MB are free"):
        check_space(tmp_path, variables, 3)


def test_the_best_evaluations_come_first():
    position = Position(evaluated=[10, 20, 30, 40], costs=[3.0, 1.0, 2.0, 1.0])
    assert position.best_steps(3) == [20, 40, 30]


def truncate(path):
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def garbage(path):
    path.write_bytes(bytes(range(256)) * (path.stat().st_size // 256 + 1))


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": truncate,
    "missing": lambda path: path.unlink(),
    "garbage": garbage,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(tmp_path, caplog, file, damage):
    variable = tf.Variable([1.0, 2.0])
    save_checkpoint(tmp_path, {"a": variable}, Position(1), RECIPE, 2)
    save_checkpoint(tmp_path, {"a": variable.assign([3.0, 4.0])}, Position(2), RECIPE, 2)
    DAMAGES[damage](tmp_path / "step-00000002" / file)
    assert restore_newest(tmp_path, {"a": variable}, RECIPE).step == 1
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    assert "step-00000002: skipped a damaged checkpoint" in caplog.text
    save_checkpoint(tmp_path, {"a": variable}, Position(1), RECIPE, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]  # and what is damaged goes


def test_with_no_whole_checkpoint_left_training_begins_again_and_says_so(tmp_path, caplog):
    variable = tf.Variable([1.0])
    for step in (1, 2):
        save_checkpoint(tmp_path, {"a": variable}, Position(step), RECIPE, 2)
        (tmp_path / f"step-0000000{step}" / "arrays.npz").write_bytes(b"")
    assert restore_newest(tmp_path, {"a": variable}, RECIPE) == Position()
    assert "no intact checkpoint is left, training restarts at step 0" in caplog.text


def test_a_row_behind_a_torn_line_is_not_lost(tmp_path):
    rows = tmp_path / "metrics.jsonl"
    append_json(rows, {"step": 1, "loss": 2.0})
    with rows.open("ab") as stream:
        stream.write(b'{"step": 2, "lo')  # killed in the middle of a line
    append_json(rows, {"step": 2, "loss": 1.0})
    with rows.open("ab") as stream:
        stream.write(b"\0" * 100 + b"\n[3]\n")  # what a power cut may leave
    assert [row["step"] for row in read_metrics(rows)] == [1, 2]
