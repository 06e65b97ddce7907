"""`lstmlm average`: the mean of the best evaluations' weights."""

import json

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import publish, read_manifest
from lstmlm.training.checkpoints.average import average


@pytest.fixture
def model(tmp_path):
    """A model folder with the weights of three evaluations; the best is that of step 20."""
    with publish(tmp_path / "model", "model", "stamp") as draft:
        (draft.path / "best").mkdir()
        rows = [{"step": step, "valid_loss": loss} for step, loss in ((10, 3.0), (20, 1.0), (30, 2.0))]
        (draft.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for row in rows:
            np.savez(draft.path / "best" / f"best-{row['step']:08d}.npz", **{"a|b": np.full(3, row["step"], "f4")})
        for name in ("model.json", "loss.png", "weights.npz"):
            (draft.path / name).write_text(name)
        draft.facts = {"valid_loss": 1.0, "best_steps": [20, 30, 10]}
    return tmp_path / "model"


@pytest.mark.parametrize(("count", "mean"), [(None, 20.0), (3, 20.0), (2, 25.0)])
def test_it_averages_the_best(model, tmp_path, count, mean):
    facts = average(model, tmp_path / "mean", count).facts
    with np.load(tmp_path / "mean" / "weights.npz") as arrays:
        np.testing.assert_array_equal(arrays["a|b"], np.full(3, mean, "f4"))
    assert facts["averaged"][0] == "best-00000020.npz"
    assert read_manifest(tmp_path / "mean", "model", verify=True).facts["valid_loss"] == 1.0


def test_more_than_were_kept_is_an_error(model, tmp_path):
    with pytest.raises(UserError, match="cannot average 4 evaluations: only 3 were kept"):
        average(model, tmp_path / "mean", 4)


def test_a_model_with_one_evaluation_says_what_to_do(tmp_path):
    with publish(tmp_path / "model", "model", "stamp") as draft:
        (draft.path / "metrics.jsonl").write_text("")
    with pytest.raises(UserError, match=r"training\.keep_best"):
        average(tmp_path / "model", tmp_path / "mean")
