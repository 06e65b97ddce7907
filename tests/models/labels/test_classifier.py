"""The classifier against its equations in NumPy, and its calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.labels.calibration import fitted_sharpness
from lstmlm.models.labels.classifier import Classifier
from lstmlm.models.labels.names import FACTOR, PRIME, SCALE, SPREAD
from lstmlm.recipe.sections.labels import LabelOptions
from lstmlm.recipe.sections.model import ModelSection

SIZES = ModelSection(embedding=5, encoder_units=4, encoder_layers=2, dropout=0.0)
TOKENS = np.array([[4, 7, 9, 3, 0, 0], [5, 3, 0, 0, 0, 0], [8, 8, 6, 4, 5, 3]], np.int32)
VOCABULARY, LABELS = 12, 3

Weights = Mapping[str, np.ndarray]


def classifier(**options: object) -> Classifier:
    model = Classifier(LabelOptions.model_validate(options), SIZES, VOCABULARY, LABELS, 1, tf.float32)
    draw = np.random.default_rng(1)
    for variable in model.named_variables().values():
        variable.assign(draw.normal(0.0, 0.5, variable.shape).astype(np.float32))
    return model


def weights_of(model: Classifier) -> dict[str, np.ndarray]:
    return {name: variable.numpy().astype(np.float64) for name, variable in model.named_variables().items()}


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def layer(weights: Weights, name: str, inputs: np.ndarray) -> np.ndarray:
    """Returns h of each step, [time, units]."""
    units = weights[f"{name}/recurrent"].shape[0]
    h = c = np.zeros(units)
    found = []
    for x in inputs:
        gates = x @ weights[f"{name}/kernel"] + h @ weights[f"{name}/recurrent"] + weights[f"{name}/bias"]
        i, f, o = (sigmoid(gates[n * units : (n + 1) * units]) for n in range(3))
        c = f * c + i * np.tanh(gates[3 * units :])
        h = o * np.tanh(c)
        found.append(h)
    return np.array(found)


def encoded(weights: Weights, ids: np.ndarray, prefix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Returns the outputs of the top layer of a text without padding, and the states at its ends."""
    values = weights[f"{prefix}embedding/table"][ids]
    for n in range(2):
        ahead = layer(weights, f"{prefix}encoder_{n}_forward", values)
        back = layer(weights, f"{prefix}encoder_{n}_backward", values[::-1])
        values = np.concatenate([ahead, back[::-1]], axis=1)
    return values, np.concatenate([ahead[-1], back[-1]])


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def pooled(weights: Weights, ids: np.ndarray, prefix: str) -> np.ndarray:
    values, ends = encoded(weights, ids, prefix)
    scores = softmax(
        np.tanh(values @ weights[f"{prefix}pooling/kernel"])[:, :] @ weights[f"{prefix}pooling/query"][:, 0]
    )
    joined = np.concatenate([ends, values.max(axis=0), values.mean(axis=0), scores @ values])
    return joined @ weights[f"{prefix}output/kernel"] + weights[f"{prefix}output/bias"]


def of_ngrams(weights: Weights, ids: np.ndarray, longest: int, buckets: int) -> np.ndarray:
    total, table = np.zeros(LABELS), weights["ngrams/table"] * weights.get("ngrams/ratios", 1.0)
    for length in range(1, longest + 1):
        for start in range(len(ids) - length + 1):
            code = 0
            for token in ids[start : start + length]:
                code = (code * FACTOR + int(token)) % PRIME
            total += table[(code + length) * SPREAD % PRIME % buckets]
    return SCALE * total / np.sqrt(len(ids) * longest)


@pytest.mark.parametrize("ratios", [False, True])
def test_the_probabilities_of_a_text_are_those_of_the_equations(ratios: bool) -> None:
    pooling = ["last", "max", "mean", "attention"]
    model = classifier(pooling=pooling, members=2, ngrams=3, ngram_buckets=50, ngram_ratios=ratios)
    weights, found = weights_of(model), model.predict({"tokens": tf.constant(TOKENS)})["probabilities"].numpy()
    for row, tokens in zip(found, TOKENS, strict=True):
        ids = tokens[tokens > 0]
        members = [pooled(weights, ids, prefix) for prefix in ("", "member1_")]
        logits = np.mean([*members, of_ngrams(weights, ids, 3, 50)], axis=0)
        assert row == pytest.approx(softmax(logits), abs=2e-6)


def test_the_probabilities_of_words_are_those_at_their_first_tokens() -> None:
    model = classifier(kind="tokens")
    weights, first = weights_of(model), np.array([[0, 2], [0, 0], [1, 4]], np.int32)
    found = model.predict({"tokens": tf.constant(TOKENS), "first": tf.constant(first)})["probabilities"].numpy()
    for row, tokens, places in zip(found, TOKENS, first, strict=True):
        values, _ = encoded(weights, tokens[tokens > 0])
        logits = values[places] @ weights["output/kernel"] + weights["output/bias"]
        assert row == pytest.approx(softmax(logits), abs=2e-6)


def test_of_many_labels_each_has_a_probability_of_its_own_and_a_loss() -> None:
    model = classifier(kind="many", pooling=["mean"])
    batch = {
        "tokens": tf.constant(TOKENS),
        "label": tf.constant([[0, 2], [1, 0], [0, 0]]),
        "label_length": tf.constant([2, 1, 1]),
        "is_example": tf.constant([1, 1, 0]),
    }
    shares = model.predict(batch)["probabilities"].numpy().astype(np.float64)
    goal = np.array([[1, 0, 1], [0, 1, 0]])
    nats = -np.log(np.where(goal == 1, shares[:2], 1 - shares[:2])).sum()
    total, weight = model.loss(batch, noise=None, smoothing=0.0)
    assert float(total) == pytest.approx(nats, rel=1e-5)
    assert float(weight) == 2.0


def test_the_ratios_of_ngrams_are_those_of_the_texts_with_and_without_a_label() -> None:
    options = LabelOptions(ngrams=2, ngram_buckets=5000, ngram_ratios=True)
    model = Classifier(options, SIZES, VOCABULARY, LABELS, 1, tf.float32)
    batch = {"tokens": tf.constant(TOKENS), "label": tf.constant([0, 1, 0]), "is_example": tf.constant([1, 1, 1])}
    halves = [{name: values[some] for name, values in batch.items()} for some in (slice(0, 2), slice(2, 3))]
    model.prepare(halves)
    counts: dict[tuple[int, ...], np.ndarray] = {}
    for ids, label in zip(map(read, TOKENS), (0, 1, 0), strict=True):
        for gram in [tuple(ids[n : n + size]) for size in (1, 2) for n in range(len(ids) - size + 1)]:
            counts.setdefault(gram, np.zeros(LABELS))[label] += 1
    with_it = np.sum(list(counts.values()), axis=0) + 5000
    without = sum(map(np.sum, counts.values())) - (with_it - 5000) + 5000
    for gram, found in counts.items():
        code = 0
        for token in gram:
            code = (code * FACTOR + token) % PRIME
        expected = np.log((found + 1) / with_it) - np.log((found.sum() - found + 1) / without)
        row = (code + len(gram)) * SPREAD % PRIME % 5000
        assert weights_of(model)["ngrams/ratios"][row] == pytest.approx(expected, abs=1e-6)
    assert np.count_nonzero(weights_of(model)["ngrams/ratios"].any(axis=1)) == len(counts)


def read(tokens: np.ndarray) -> list[int]:
    return [int(token) for token in tokens if token]


def test_examples_that_fill_a_batch_up_count_nothing_and_ratios_taken_over_stay() -> None:
    options = LabelOptions(ngrams=1, ngram_buckets=50, ngram_ratios=True)
    batch = {"tokens": tf.constant(TOKENS), "label": tf.constant([0, 1, 0])}
    found = []
    for rows, filled in ((2, [1, 1]), (3, [1, 1, 0])):
        model = Classifier(options, SIZES, VOCABULARY, LABELS, 1, tf.float32)
        model.prepare([{name: values[:rows] for name, values in batch.items()} | {"is_example": tf.constant(filled)}])
        found.append(weights_of(model)["ngrams/ratios"])
    assert found[0].any()
    assert (found[0] == found[1]).all()
    model.prepare([batch | {"is_example": tf.constant([1, 1, 1])}])
    assert (weights_of(model)["ngrams/ratios"] == found[1]).all()


@pytest.mark.parametrize("buckets", [50_000, 1 << 16, 60_000])
def test_few_ngrams_share_a_row(buckets: int) -> None:
    rows = {((a * FACTOR + b) % PRIME + 2) * SPREAD % PRIME % buckets for a in range(4, 104) for b in range(4, 104)}
    assert len(rows) > 0.85 * buckets * (1 - (1 - 1 / buckets) ** 10_000)


@pytest.mark.parametrize("several", [False, True])
def test_the_temperature_has_the_least_cross_entropy_of_all(several: bool) -> None:
    draw = np.random.default_rng(3)
    logits = draw.normal(0.0, 3.0, (400, 4))
    truth = sigmoid(logits / 2.5) > draw.random((400, 4)) if several else None
    choice = [draw.choice(4, p=row) for row in softmax(logits / 2.5)]
    goals = truth.astype(float) if truth is not None else np.eye(4)[choice]
    right = goals * (1 - 1 / 402) + 1 / 402 / (2 if several else 4)

    def nats(sharpness: float) -> float:
        scaled = sharpness * logits
        if several:
            return float((np.logaddexp(0, scaled) - right * scaled).sum())
        return float(-(right * np.log(softmax(scaled))).sum())

    found = fitted_sharpness(logits, goals, several=several)
    assert nats(found) <= min(nats(other) for other in np.geomspace(0.06, 18, 500)) + 1e-6
    assert 1 / found == pytest.approx(2.5, rel=0.2)


def test_where_every_example_is_right_none_is_certain() -> None:
    logits, goals = 5.0 * np.eye(3).repeat(20, axis=0), np.eye(3).repeat(20, axis=0)
    shares = softmax(fitted_sharpness(logits, goals, several=False) * logits)
    assert 0.95 < shares.max() < 0.995


@pytest.mark.slow
def test_what_is_published_is_calibrated_and_training_continues_as_before() -> None:
    model = classifier(members=2, ngrams=2, ngram_buckets=20)
    label = tf.constant([0, 1, 2])
    batch = {"tokens": tf.constant(TOKENS), "label": label, "is_example": tf.constant([1, 1, 0])}
    before, raw = weights_of(model), model.logits(batch).numpy()
    with model.published([batch]) as fitted:
        assert model.logits(batch).numpy() == pytest.approx(raw / fitted["temperature"], rel=1e-4)
        calibrated = float(model.loss(batch, noise=None, smoothing=0.0)[0])
    assert calibrated <= float(model.loss(batch, noise=None, smoothing=0.0)[0]) + 1e-6
    after = weights_of(model)
    assert all((after[name] == before[name]).all() for name in before)
