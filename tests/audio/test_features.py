"""Features are Kaldi's, and the same inside a graph."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.audio import features, graph_features
from lstmlm.audio.settings import Features
from tests.audio.sounds import noise, tone


@pytest.mark.parametrize("form", [Features(8000, 40), Features(16000, 80), Features(44100, 64)])
@pytest.mark.parametrize("seconds", [0.025, 0.3, 1.017])
def test_the_graph_computes_what_kaldi_does(form: Features, seconds: float) -> None:
    # Kaldi divides by 65536 nowhere: a little noise under the tone keeps all bands above the rounding of the transform.
    quiet = noise(seconds, form.rate).astype(np.float32) / 32768 / 30
    samples = tone(500, seconds, form.rate)[: len(quiet)] + quiet
    ours = features.log_mel(samples, form)
    inside = graph_features.log_mel(tf.constant(samples[None]), form)[0].numpy()
    assert ours.shape == inside.shape == (form.frames(len(samples)), form.mels)
    assert np.abs(ours - inside).max() < 5e-4
    assert np.median(np.abs(ours - inside)) < 1e-4


def test_frames_are_counted_alike() -> None:
    form = Features(8000, 40)
    sizes = np.arange(0, 900, 7)
    counts = graph_features.frame_counts(tf.constant(sizes, tf.int32), form).numpy().tolist()
    assert counts == [form.frames(size) for size in sizes.tolist()]
    assert counts == [len(features.log_mel(np.ones(size, np.float32), form)) for size in sizes.tolist()]


def test_rows_of_a_batch_do_not_depend_on_each_other() -> None:
    form = Features(8000, 40)
    samples = noise(1.0, 8000).astype(np.float32)[None] / 32768
    with_one, with_other = tf.concat([samples, samples[:, ::-1]], axis=0), tf.concat([samples, 0 * samples], axis=0)
    first, second = (graph_features.log_mel(both, form).numpy()[0] for both in (with_one, with_other))
    np.testing.assert_array_equal(first, second)


def test_the_mel_bands_cover_the_spectrum() -> None:
    weights = graph_features.mel_weights(Features(16000, 80))
    assert (weights >= 0).all()
    assert (weights.sum(axis=0) > 0).all()
    # Between the first and the last centre, the two bands of a frequency share it.
    np.testing.assert_allclose(weights.sum(axis=1)[20:240], 1.0, atol=1e-4)
