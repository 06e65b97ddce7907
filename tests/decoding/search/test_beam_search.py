"""Beam search against the enumeration of all texts, and against a plain reference on random models."""

import numpy as np
import pytest

from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.search.hypotheses import coverage_penalty, length_penalty
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from tests.decoding.toy import END, PIECES, Toy, sources, written

MOST = 4


def rank(toy, ids, options, allowed=lambda tokens, ended: True):
    """All texts with their scores, best first."""
    ranked = []
    for tokens, total, attended in toy.texts(ids, options.max_tokens):
        ended = len(tokens) < options.max_tokens
        if allowed(tokens, ended):
            value = total / length_penalty(len(tokens) + ended, options.length_penalty)
            if options.coverage_penalty:
                value += coverage_penalty(np.sum(attended, axis=0), options.coverage_penalty)
            ranked.append((value, tokens, total))
    return sorted(ranked, key=lambda entry: -entry[0])


def exhaustive(**changes):
    return SearchOptions("beam", max_tokens=MOST, beam=700, n_best=5, **changes)


@pytest.mark.parametrize("penalties", [{}, {"length_penalty": 1.0}, {"length_penalty": 0.6, "coverage_penalty": 0.4}])
def test_a_beam_as_wide_as_the_search_space_finds_the_best_texts(penalties):
    toy, options = Toy(vocabulary=6, sharpness=1.0), exhaustive(**penalties)
    requests = [SearchRequest(ids) for ids in sources(3, longest=6)]
    for request, found in zip(requests, Engine(toy, options, 700).decode(requests), strict=True):
        expected = rank(toy, request.ids, options)[:5]
        assert [hypothesis.tokens for hypothesis in found] == [tokens for _, tokens, _ in expected]
        np.testing.assert_allclose([h.score for h in found], [value for value, _, _ in expected], rtol=1e-5)
        np.testing.assert_allclose([h.log_probability for h in found], [total for *_, total in expected], rtol=1e-5)


def contains(tokens, phrase):
    return any(tokens[n : n + len(phrase)] == phrase for n in range(len(tokens)))


RULES = {
    "min_tokens": (Constraints(min_tokens=3), lambda t, ended: len(t) >= 3),
    "no_repeat": (
        Constraints(no_repeat_ngram=2),
        lambda t, ended: len({t[n : n + 2] for n in range(len(t) - 1)}) == max(0, len(t) - 1),
    ),
    "forbidden": (
        Constraints(words=Forbidden(["a", "b a"], PIECES)),
        lambda t, ended: not PhraseAutomaton(["a", "b a"]).finds(written(t)),
    ),
    "forced": (
        Constraints(forced=((5, 5), (2,))),
        lambda t, ended: contains(t, (5, 5)) and contains(t, (2,)),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_constraints_leave_the_best_of_what_they_allow(name):
    constraints, allowed = RULES[name]
    toy, options = Toy(vocabulary=7, seed=5, sharpness=1.0), exhaustive(constraints=constraints)
    for ids in sources(2, longest=6):
        (found,) = Engine(toy, options, 700).decode([SearchRequest(ids)])
        assert [h.tokens for h in found] == [tokens for _, tokens, _ in rank(toy, ids, options, allowed)[:5]]


def reference(toy, ids, options):
    """Beam search for one request with lists."""
    table, live, finished = toy.log_table(), [(0.0, (), toy.first(ids))], []
    for _ in range(options.max_tokens):
        grown = [
            (score + float(table[history, token]), tokens, token, history)
            for score, tokens, history in live
            for token in range(1, toy.vocabulary)
        ]
        grown.sort(key=lambda entry: -entry[0])
        for score, tokens, token, _ in grown[: options.beam]:
            if token == END:
                finished.append((score / length_penalty(len(tokens) + 1, options.length_penalty), tokens))
        rest = [entry for entry in grown if entry[2] != END][: options.beam]
        live = [(score, (*tokens, token), (history * 31 + token) % 997) for score, tokens, token, history in rest]
        if len(finished) >= options.beam:
            break
    else:
        finished += [(score / length_penalty(len(t), options.length_penalty), t) for score, t, _ in live]
    return [tokens for _, tokens in sorted(finished, key=lambda entry: -entry[0])][: options.n_best]


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_reference(beam, seed):
    toy = Toy(vocabulary=11, seed=seed, sharpness=1.5)
    options = SearchOptions("beam", max_tokens=10, beam=beam, n_best=beam, length_penalty=0.8)
    requests = [SearchRequest(ids) for ids in sources(12, seed)]
    found = Engine(toy, options, 20).decode(requests)
    assert [[h.tokens for h in ranked] for ranked in found] == [reference(toy, r.ids, options) for r in requests]


def test_a_beam_of_one_is_greedy():
    toy, requests = Toy(seed=9), [SearchRequest(ids) for ids in sources(20)]
    greedy = Engine(toy, SearchOptions(max_tokens=12)).decode(requests)
    beam = Engine(toy, SearchOptions("beam", max_tokens=12, beam=1)).decode(requests)
    assert [h.tokens for (h,) in beam] == [h.tokens for (h,) in greedy]


def test_forced_phrases_are_there_with_a_narrow_beam():
    toy = Toy(vocabulary=30, seed=2)
    phrases = ((7, 9, 7), (21,))
    options = SearchOptions("beam", max_tokens=25, beam=6, n_best=6, constraints=Constraints(forced=phrases))
    for ranked in Engine(toy, options, 30).decode([SearchRequest(ids) for ids in sources(8)]):
        assert ranked
        assert all(contains(h.tokens, phrase) for h in ranked for phrase in phrases)


def test_the_forced_phrases_are_there_where_the_limit_has_room_for_no_more():
    toy, phrases = Toy(vocabulary=30, seed=2), ((7, 9, 7), (21,))
    options = SearchOptions("beam", max_tokens=4, beam=4, n_best=4, constraints=Constraints(forced=phrases))
    for ranked in Engine(toy, options, 30).decode([SearchRequest(ids) for ids in sources(8)]):
        assert {h.tokens for h in ranked} <= {(7, 9, 7, 21), (21, 7, 9, 7)}
        assert ranked


def test_a_forced_word_that_is_made_longer_is_not_there():
    toy = Toy(vocabulary=12, seed=2)
    rules = Constraints(forced=((7, 9),), lengthening=frozenset({4, 5, 6, 7, 8, 9}))
    options = SearchOptions("beam", max_tokens=8, beam=6, n_best=6, constraints=rules)
    for ranked in Engine(toy, options, 30).decode([SearchRequest(ids) for ids in sources(20)]):
        for tokens in (h.tokens for h in ranked):
            ends = [n + 2 for n in range(len(tokens) - 1) if tokens[n : n + 2] == (7, 9)]
            assert any(end == len(tokens) or tokens[end] not in rules.lengthening for end in ends)


def test_forced_phrases_may_repeat_what_else_may_not():
    toy = Toy(vocabulary=12, seed=5)
    rules = Constraints(no_repeat_ngram=1, forced=((7, 7, 7),))
    options = SearchOptions("beam", max_tokens=9, beam=4, n_best=4, constraints=rules)
    for ranked in Engine(toy, options, 30).decode([SearchRequest(ids) for ids in sources(8)]):
        assert ranked
        assert all(contains(h.tokens, (7, 7, 7)) for h in ranked)


def test_the_log_probability_is_that_of_the_text():
    toy, options = Toy(vocabulary=12, seed=4), SearchOptions("beam", max_tokens=10, beam=4, n_best=4)
    requests = [SearchRequest(ids) for ids in sources(6)]
    for request, ranked in zip(requests, Engine(toy, options).decode(requests), strict=True):
        for hypothesis in ranked:
            history, total = toy.first(request.ids), 0.0
            for token in [*hypothesis.tokens, *([END] if len(hypothesis.tokens) < 10 else [])]:
                total += float(toy.log_table()[history, token])
                history = (history * 31 + token) % 997
            np.testing.assert_allclose(hypothesis.log_probability, total, rtol=1e-4)
