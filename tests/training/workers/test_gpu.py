"""Training on a GPU, as far as it can be tested without one."""

import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.lstm import LSTM
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.training.workers.gpu import use_gpu


@pytest.fixture
def model():
    return LanguageModel(ModelSection(embedding=4, units=6, layers=2), 20, 1, tf.float32)


def test_without_a_gpu_the_user_is_warned(model, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(UserError, match=r"training\.use_gpu: TensorFlow finds no GPU in the worker\. Install"):
        use_gpu(model)


def test_with_one_every_layer_is_cudnns(model, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    use_gpu(model)
    layers = [part for part in model.submodules if isinstance(part, LSTM)]
    assert [layer.cudnn for layer in layers] == [True, True]
