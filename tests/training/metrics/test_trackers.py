"""Metrics reach TensorBoard and MLflow as numbers with their step."""

import sys
import types

import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.training.metrics.trackers import open_trackers

ROWS = [{"step": 10, "loss": 3.5, "epoch": 0}, {"step": 20, "valid_loss": 2.5}]


def with_training(recipe, **training):
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})


def report(tracker):
    for row in ROWS:
        tracker.metrics(row)
    tracker.close()


def test_nobody_listens_by_default(recipe):
    assert open_trackers(recipe) == []


def test_tensorboard_events_hold_every_number(recipe):
    (tracker,) = open_trackers(with_training(recipe, tensorboard=True))
    report(tracker)
    found = {}
    for file in (recipe.run_folder / "tensorboard").iterdir():
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    assert found == {("loss", 10): 3.5, ("epoch", 10): 0.0, ("valid_loss", 20): 2.5}


def test_mlflow_gets_parameters_and_metrics(recipe, monkeypatch):
    calls = []
    fake = types.ModuleType("mlflow")
    for name in ("set_tracking_uri", "set_experiment", "start_run", "log_params", "log_metrics", "end_run"):
        setattr(fake, name, lambda *args, _name=name, **kwargs: calls.append((_name, args, kwargs)))
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    (tracker,) = open_trackers(with_training(recipe, mlflow="file:/tmp/somewhere"))
    report(tracker)
    assert calls[0] == ("set_tracking_uri", ("file:/tmp/somewhere",), {})
    assert next(args[0] for name, args, _ in calls if name == "log_params")["model.units"] == 24
    assert [(args[0], kwargs) for name, args, kwargs in calls if name == "log_metrics"] == [
        ({"loss": 3.5, "epoch": 0.0}, {"step": 10}),
        ({"valid_loss": 2.5}, {"step": 20}),
    ]
    assert calls[-1][0] == "end_run"


def test_without_mlflow_installed_the_recipe_field_is_named(recipe, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match=r"training\.mlflow: MLflow is not installed"):
        open_trackers(with_training(recipe, mlflow="file:/tmp/somewhere"))
