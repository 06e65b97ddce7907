"""The reader scores every span, whatever else is in its batch; its features and its loss are those of plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.reader.matches import Matches
from lstmlm.models.reader.names import IMPOSSIBLE, REACHES, WIDTH
from lstmlm.models.reader.reader import TEMPERATURES, Reader
from lstmlm.models.reader.shapes import Shape
from lstmlm.models.reader.spans import Spans, best_span, gold_nats, span_logits
from lstmlm.recipe.sections.model import ModelSection

pytestmark = pytest.mark.slow

SIZES = ModelSection(embedding=6, encoder_units=4, units=5, layers=2, dropout=0.0)
VOCABULARY, LONGEST = 30, 4


def batch(passages: list[list[int]], questions: list[list[int]], width: int, asked: int) -> dict[str, np.ndarray]:
    """Returns a batch whose forms are pairs of tokens, and whose stems are groups of four."""
    found = {
        name: np.zeros([len(passages), size], np.int32) for name, size in (("passage", width), ("question", asked))
    }
    for name, rows in (("passage", passages), ("question", questions)):
        for n, row in enumerate(rows):
            found[name][n, : len(row)] = row
    forms = {f"{name}_form": (ids + 1) // 2 for name, ids in found.items()}
    stems = {f"{name}_stem": (ids + 3) // 4 for name, ids in found.items()}
    shape = np.where(found["passage"] % 7 == 0, int(Shape.SENTENCE_END), int(Shape.WORD_START))
    return {**found, **forms, **stems, "passage_shape": (shape * (found["passage"] > 0)).astype(np.int32)}


def random_batch(rows: int, width: int = 16, asked: int = 8) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(3)
    passages = [draw.integers(4, VOCABULARY, draw.integers(5, width + 1)).tolist() for _ in range(rows)]
    questions = [draw.integers(4, VOCABULARY, draw.integers(1, asked + 1)).tolist() for _ in range(rows)]
    return batch(passages, questions, width, asked)


def test_the_span_scores_are_those_of_all_starts_and_lengths() -> None:
    draw = np.random.default_rng(0)
    start, end, length = draw.normal(size=[2, 5]), draw.normal(size=[2, 5]), draw.normal(size=[3])
    start, end, length = (values.astype(np.float32) for values in (start, end, length))
    end[1, 3:] = IMPOSSIBLE  # padding
    found = span_logits(start, end, length).numpy()
    for row in range(2):
        for first in range(5):
            for more in range(3):
                last = first + more
                expected = IMPOSSIBLE if last >= 5 else start[row, first] + end[row, last] + length[more]
                assert found[row, first, more] == pytest.approx(expected, abs=1e-4 * abs(expected))
    none = draw.normal(size=[2]).astype(np.float32)
    best = best_span(Spans(tf.constant(found), tf.constant(none)))
    for row in range(2):
        where = np.unravel_index(found[row].argmax(), [5, 3])
        assert (int(best.start[row]), int(best.end[row])) == (where[0], where[0] + where[1])
        assert float(best.odds[row]) == pytest.approx(found[row].max() - none[row], abs=1e-5)
        mass = math.log(np.exp(found[row].astype(np.float64)).sum()) - none[row]
        assert float(best.mass[row]) == pytest.approx(mass, abs=1e-5)


def test_the_loss_is_that_of_any_right_span_or_of_no_answer() -> None:
    draw = np.random.default_rng(1)
    logits, none = draw.normal(size=[3, 4, 2]).astype(np.float32), draw.normal(size=[3]).astype(np.float32)
    starts, ends = np.array([[1, 3], [2, 0], [0, 0]], np.int32), np.array([[2, 3], [2, 0], [0, 0]], np.int32)
    found = gold_nats(Spans(logits, none), starts, ends, np.array([2, 1, 0], np.int32)).numpy()
    for row, right in enumerate(([logits[0, 1, 1], logits[0, 3, 0]], [logits[1, 2, 0]], [none[2]])):
        total = np.exp(logits[row]).sum() + np.exp(none[row])
        assert found[row] == pytest.approx(-math.log(np.exp(right).sum() / total), rel=1e-5)


def test_features_are_those_of_plain_loops() -> None:
    one = random_batch(1)
    matches = Matches(2, VOCABULARY)
    weights = np.linspace(0.1, 1.0, 8, dtype=np.float32) * (one["question"][0] > 0)
    found = matches({name: tf.constant(ids) for name, ids in one.items()}, tf.constant(weights[None]))[0].numpy()
    passage, forms = one["passage"][0], one["passage_form"][0]
    asked = [n for n in range(8) if one["question"][0][n] > 0]
    size = int((passage > 0).sum())
    numbers = np.cumsum([0, *(one["passage_shape"][0] & Shape.SENTENCE_END > 0)])
    share = weights / weights.sum()

    def held(places: list[int]) -> float:
        return sum(share[j] for j in asked if any(forms[i] == one["question_form"][0][j] for i in places))

    sentences = [held([other for other in range(size) if numbers[other] == numbers[i]]) for i in range(size)]
    assert found.shape == (16, WIDTH)
    for i in range(size):
        for place, name in enumerate(("", "_form", "_stem")):
            match = any(one[f"passage{name}"][0][i] == one[f"question{name}"][0][j] for j in asked)
            assert found[i, place] == match
        heaviest = [share[j] for j in asked if forms[i] == one["question_form"][0][j]]
        assert found[i, 3] == pytest.approx(max(heaviest, default=0.0) / share.max(), abs=1e-6)
        for n, reach in enumerate(REACHES):
            near = [other for other in range(size) if abs(other - i) <= reach]
            assert found[i, 6 + n] == pytest.approx(held(near), abs=1e-6)
        assert found[i, 10] == pytest.approx(sentences[i], abs=1e-6)
        assert found[i, 11] == pytest.approx(sentences[i] - max(sentences), abs=1e-6)
    assert not found[size:].any()


def test_runs_of_matching_tokens_are_marked() -> None:
    one = batch([[9, 11, 13, 15, 9, 20]], [[5, 9, 11, 13]], 8, 4)
    found = Matches(2, VOCABULARY)({name: tf.constant(ids) for name, ids in one.items()}, tf.ones([1, 4]))[0].numpy()
    assert found[:, 4].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]  # of two
    assert found[:, 5].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]  # of three


def test_a_prediction_does_not_depend_on_the_other_rows() -> None:
    reader = Reader(SIZES, VOCABULARY, LONGEST, 1, tf.float32)
    whole = random_batch(6)
    together = reader.predict({name: tf.constant(ids) for name, ids in whole.items()})
    turned = reader.predict({name: tf.constant(ids[::-1].copy()) for name, ids in whole.items()})
    for name, values in together.items():
        np.testing.assert_array_equal(values.numpy(), turned[name].numpy()[::-1])
    size = (whole["passage"] > 0).sum(axis=1)
    assert (together["start"].numpy() <= together["end"].numpy()).all()
    assert (together["end"].numpy() < size).all()
    assert (together["end"].numpy() - together["start"].numpy() < LONGEST).all()


def test_no_answer_begins_or_ends_with_a_token_without_text() -> None:
    reader = Reader(SIZES, VOCABULARY, LONGEST, 1, tf.float32)
    whole = random_batch(4)
    only = 3
    whole["passage_shape"] |= np.where(np.arange(16) == only, 0, int(Shape.NOTHING)).astype(np.int32)
    found = reader.predict({name: tf.constant(ids) for name, ids in whole.items()})
    assert found["start"].numpy().tolist() == found["end"].numpy().tolist() == [only] * 4


def test_the_temperature_is_the_best_of_those_tried_and_only_published() -> None:
    reader = Reader(SIZES, VOCABULARY, LONGEST, 1, tf.float32)
    whole = random_batch(8)
    best = reader.predict({name: tf.constant(values) for name, values in whole.items()})
    # Right for every second row, as far as the model knows.
    right = {name: np.where(np.arange(8) % 2, 2, best[name].numpy())[:, None] for name in ("start", "end")}
    right = {"starts": right["start"].astype(np.int32), "ends": right["end"].astype(np.int32)}
    right |= {"starts_length": np.ones([8], np.int32), "is_example": np.ones([8], np.int32)}
    fed = {name: tf.constant(values) for name, values in (whole | right).items()}
    spans = reader.scores(fed, None)

    def nats(temperature: float) -> float:
        divided = spans.divided(tf.constant(temperature, tf.float32))
        return float(tf.reduce_sum(gold_nats(divided, fed["starts"], fed["ends"], fed["starts_length"])))

    before = reader.predict(fed)
    with reader.published([fed]) as fitted:
        temperature = fitted["temperature"]
        within = reader.predict(fed)
    assert nats(temperature) <= min(map(nats, TEMPERATURES)) + 1e-3
    assert temperature != 1.0
    np.testing.assert_allclose(within["odds"].numpy(), before["odds"].numpy() / temperature, rtol=1e-4)
    np.testing.assert_array_equal(within["start"].numpy(), before["start"].numpy())
    np.testing.assert_array_equal(reader.predict(fed)["odds"].numpy(), before["odds"].numpy())
