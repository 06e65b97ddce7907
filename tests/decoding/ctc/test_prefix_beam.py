"""Prefix beam search against the sum over all paths, by itself and with a language model and a lexicon."""

from __future__ import annotations

import collections
import itertools
import math

import numpy as np
import pytest

from lstmlm.decoding.ctc.alignment import collapsed
from lstmlm.decoding.ctc.prefix_beam import BeamOptions, Lexicon, PrefixBeam
from lstmlm.decoding.ctc.words import Pieces

WRITTEN = ["", " ", "a", "b"]  # token 1 begins a word
WIDE = BeamOptions(beam=1000, tokens=10, least=-math.inf)


def outputs(steps: int, seed: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 1.5, [steps, 4])
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def sums(found: np.ndarray) -> dict[tuple[int, ...], float]:
    """Returns the probability of every sequence: the sum over its paths."""
    totals: collections.Counter[tuple[int, ...]] = collections.Counter()
    for path in itertools.product(range(found.shape[1]), repeat=len(found)):
        totals[tuple(collapsed(path))] += math.exp(sum(found[step, token] for step, token in enumerate(path)))
    return dict(totals)


def text(tokens: tuple[int, ...]) -> str:
    return "".join(WRITTEN[token] for token in tokens)


class Toy:
    """Scores a word by its letters and by how many words came before."""

    def __init__(self) -> None:
        self.asked = 0

    def begin(self) -> int:
        return 0

    def scored(self, asked):
        self.asked += len(asked)
        return [(-0.7 * len(word) + 0.9 * word.count("b") - 0.3 * history, history + 1) for history, word in asked]

    def closed(self, histories):
        return [-0.4 * history for history in histories]

    def total(self, words: list[str]) -> float:
        return sum(self.scored([(place, word)])[0][0] for place, word in enumerate(words)) - 0.4 * len(words)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_prefix_has_the_greatest_sum_of_paths(seed: int) -> None:
    found = outputs(5, seed)
    expected = {tokens: p for tokens, p in sums(found).items() if (1, 1) not in itertools.pairwise(tokens)}
    ranked = PrefixBeam(Pieces(WRITTEN), WIDE).search(found)
    assert {tuple(tokens) for tokens, _ in ranked} == expected.keys()
    for tokens, score in ranked:
        assert score == pytest.approx(math.log(expected[tuple(tokens)]), abs=1e-4)
    assert tuple(ranked[0][0]) == max(expected, key=lambda tokens: expected[tokens])


@pytest.mark.parametrize("seed", range(6))
def test_a_language_model_scores_every_word_and_the_end(seed: int) -> None:
    found, toy = outputs(5, seed), Toy()
    for tokens, score in PrefixBeam(Pieces(WRITTEN), WIDE, toy).search(found):
        expected = math.log(sums(found)[tuple(tokens)]) + toy.total(text(tuple(tokens)).split())
        assert score == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_lexicon_lets_only_its_words_through(seed: int) -> None:
    found, words = outputs(5, seed), {"ab", "b"}
    ranked = PrefixBeam(Pieces(WRITTEN), WIDE, lexicon=Lexicon(words)).search(found)
    assert all(set(text(tuple(tokens)).split()) <= words for tokens, _ in ranked)
    allowed = [
        tokens
        for tokens in sums(found)
        if set(text(tokens).split()) <= words and (1, 1) not in itertools.pairwise(tokens)
    ]
    assert {tuple(tokens) for tokens, _ in ranked} == set(allowed)


def test_a_narrow_beam_finds_what_is_clear() -> None:
    found = np.log(np.full([8, 4], 0.01, np.float32))
    for step, token in enumerate([1, 2, 0, 2, 3, 0, 1, 3]):
        found[step, token] = math.log(0.97)
    ((tokens, _), *_) = PrefixBeam(Pieces(WRITTEN), BeamOptions(beam=2, tokens=2)).search(found)
    assert text(tuple(tokens)) == " aab b"


def test_where_no_word_is_whole_something_is_written_all_the_same() -> None:
    found = np.log(np.array([[0.01, 0.01, 0.97, 0.01]], np.float32))
    ((tokens, _), *_) = PrefixBeam(Pieces(WRITTEN), BeamOptions(beam=1, tokens=1), lexicon=Lexicon({"ab"})).search(
        found
    )
    assert text(tuple(tokens)) in ("", "a")


def test_silence_gives_no_words() -> None:
    found = np.log(np.tile(np.array([[0.97, 0.01, 0.01, 0.01]], np.float32), [20, 1]))
    assert PrefixBeam(Pieces(WRITTEN), BeamOptions()).search(found)[0][0] == []


def test_words_have_the_steps_of_their_tokens() -> None:
    pieces = Pieces(["", " a", "b", " ", "c", b"\xc3", b"\xa9"])
    spans = [(2, 3), (4, 6), (7, 8), (9, 10), (10, 11), (12, 13)]
    words = pieces.words([1, 2, 3, 4, 5, 6], spans)
    assert [(word.text, word.first, word.last) for word in words] == [("ab", 2, 6), ("c\u00e9", 9, 13)]
