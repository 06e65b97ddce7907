"""Requests with prefixes and constraints of their own, against enumeration, plain loops and rules for all."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.decoding.arrivals import Arrivals
from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton
from lstmlm.decoding.constraints.spelling import Spelling
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from tests.decoding.search.test_beam_search import contains, exhaustive, rank
from tests.decoding.toy import END, PIECES, Toy, sources, written

pytestmark = pytest.mark.slow

SPELLING = Spelling(PIECES)
WAYS = {
    "greedy": SearchOptions(max_tokens=8),
    "sample": SearchOptions("sample", max_tokens=8, temperature=1.3, top_k=4),
    "beam": SearchOptions("beam", max_tokens=8, beam=3, n_best=3, coverage_penalty=0.2, align=True),
}
TOKENS = st.lists(st.sampled_from([4, 5, 6]), max_size=4).map(tuple)
RULES = [
    None,
    Constraints(min_tokens=2),
    Constraints(words=Forbidden(["a"], SPELLING)),
    Constraints(words=Forbidden(["b b", "c"], SPELLING), no_repeat_ngram=3),
    Constraints(forced=((5, 5), (2,))),
    Constraints(forced=((4, 5),), words=Forbidden(["a a"], SPELLING)),
]


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_mixed_batch_decodes_each_request_as_by_itself(options, data):
    rules = RULES if options.method == "beam" else [rule for rule in RULES if rule is None or not rule.forced]
    requests = [
        SearchRequest(ids, seed, None, data.draw(TOKENS), data.draw(st.sampled_from(rules)))
        for seed, ids in enumerate(sources(data.draw(st.integers(1, 24))))
    ]
    engine = Engine(Toy(), options, data.draw(st.sampled_from([3, 12, 64])))
    found = engine.decode(requests)
    assert found == [engine.decode([request])[0] for request in requests]
    for request, ranked in zip(requests, found, strict=True):
        forbidden = request.constraints.words if request.constraints else None
        if forbidden is None:  # text that may not be written is cut off at the end
            assert all(one.tokens[: len(request.prefix)] == request.prefix for one in ranked)
        assert not any(forbidden.finds(written(one.tokens)) for one in ranked if forbidden is not None)


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("rules", RULES[1:4])
def test_rules_of_every_request_are_rules_for_all(options, rules):
    plain = [SearchRequest(ids, seed) for seed, ids in enumerate(sources(30))]
    own = [dataclasses.replace(request, constraints=rules) for request in plain]
    for_all = dataclasses.replace(options, constraints=rules)
    assert Engine(Toy(), options).decode(own) == Engine(Toy(), for_all).decode(plain)


@pytest.mark.parametrize("prefix", [(), (4,), (6, 5), (5, 4, 6)])
@pytest.mark.parametrize("penalties", [{}, {"length_penalty": 0.6, "coverage_penalty": 0.4}])
def test_a_beam_as_wide_as_the_search_space_finds_the_best_texts_that_begin_so(prefix, penalties):
    toy, options = Toy(vocabulary=7, seed=5, sharpness=1.0), exhaustive(**penalties)
    forbidden = PhraseAutomaton(["b"])
    cases = [
        (None, lambda t, ended: t[: len(prefix)] == prefix),
        (Constraints(forced=((6, 6),)), lambda t, ended: t[: len(prefix)] == prefix and contains(t, (6, 6))),
    ]
    if not forbidden.finds(written(prefix)):
        rules = Constraints(words=Forbidden(["b"], SPELLING))
        cases.append((rules, lambda t, ended: t[: len(prefix)] == prefix and not forbidden.finds(written(t))))
    for rules, allowed in cases:
        for ids in sources(2, longest=6):
            (found,) = Engine(toy, options, 700).decode([SearchRequest(ids, prefix=prefix, constraints=rules)])
            expected = rank(toy, ids, options, allowed)[:5]
            assert [h.tokens for h in found] == [tokens for _, tokens, _ in expected]
            np.testing.assert_allclose([h.score for h in found], [value for value, _, _ in expected], rtol=1e-5)


def test_greedy_continues_a_prefix_as_a_plain_loop_does():
    toy = Toy(seed=2)
    for ids in sources(20):
        history, out = toy.first(ids), []
        for place in range(8):
            token = (5, 6, 4)[place] if place < 3 else int(toy.table[history].argmax())
            if token == END:
                break
            out.append(token)
            history = (history * 31 + token) % 997
        ((found,),) = Engine(toy, WAYS["greedy"]).decode([SearchRequest(ids, prefix=(5, 6, 4))])
        assert found.tokens == tuple(out)


def test_an_output_may_be_its_prefix_and_no_more():
    for options in WAYS.values():
        found = Engine(Toy(), dataclasses.replace(options, max_tokens=2)).decode(
            [SearchRequest([5, END], prefix=(4, 6))]
        )
        assert [one.tokens for one in found[0]] == [(4, 6)]


def test_no_rule_is_left_out_where_a_running_batch_follows_none():
    for options in WAYS.values():
        arrivals = Arrivals(Toy(), 8)
        arrivals.add(0, SearchRequest([5, END], prefix=(4,)))
        batch = Engine(Toy(), options, 8).running(arrivals)
        batch.fill()
        with pytest.raises(ValueError, match="rules of its own"):
            batch.fill()
