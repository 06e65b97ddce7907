"""Alignments against a walk along each output: its tokens came from where they attended to, however it was found."""

import numpy as np
import pytest

from lstmlm.decoding.alignment import NOTHING, most_attended
from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from tests.decoding.toy import END, HISTORIES, PIECES, Toy, sources

OPTIONS = {
    "greedy": {},
    "greedy-constrained": {"constraints": Constraints(no_repeat_ngram=2)},
    "greedy-words": {"constraints": Constraints(words=Forbidden(["a", "b b"], PIECES))},
    "sample": {"method": "sample", "temperature": 1.3},
    "beam": {"method": "beam", "beam": 4, "n_best": 4, "coverage_penalty": 0.2},
    "beam-forced": {"method": "beam", "beam": 3, "n_best": 3, "constraints": Constraints(forced=((5, 6),))},
}


def walk(toy, ids, tokens):
    """Returns the position with the highest weight at each step, *end* left out."""
    history, found = toy.first(ids), []
    for token in tokens:
        weights = [toy.attention[history][n % 64] for n in range(len(ids) - 1)]
        found.append(int(np.argmax(weights)) if weights else NOTHING)
        history = (history * 31 + token) % HISTORIES
    return tuple(found)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("rows", [4, 17])
def test_every_token_has_the_position_it_attended_to(name, rows):
    toy = Toy(seed=6)
    requests = [SearchRequest(ids, seed) for seed, ids in enumerate([*sources(30, longest=60), [END], [5, END]])]
    found = Engine(toy, SearchOptions(max_tokens=9, align=True, **OPTIONS[name]), rows).decode(requests)
    for request, ranked in zip(requests, found, strict=True):
        for hypothesis in ranked:
            assert hypothesis.alignment == walk(toy, request.ids, hypothesis.tokens)
    assert {n for ranked in found for best in ranked for n in best.alignment} > {0, 1, 2, 3}


@pytest.mark.parametrize("name", OPTIONS)
def test_asking_for_it_changes_no_output(name):
    toy, requests = Toy(seed=1), [SearchRequest(ids, seed) for seed, ids in enumerate(sources(20))]
    plain = Engine(toy, SearchOptions(max_tokens=9, **OPTIONS[name])).decode(requests)
    aligned = Engine(toy, SearchOptions(max_tokens=9, align=True, **OPTIONS[name])).decode(requests)
    assert [[(h.tokens, h.score) for h in r] for r in aligned] == [[(h.tokens, h.score) for h in r] for r in plain]
    assert not any(hypothesis.alignment for ranked in plain for hypothesis in ranked)


def test_end_gets_nothing_even_if_all_attend_to_it():
    attention = np.array([[0.1, 0.2, 0.7], [0.3, 0.0, 0.7], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], np.float32)
    assert most_attended(attention, np.array([3, 1])).tolist() == [1, 0, NOTHING, NOTHING]
    with pytest.raises(ValueError, match="without attention"):
        most_attended(None, np.array([3]))
