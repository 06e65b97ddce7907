"""The engine against plain loops: a request's output does not depend on what is decoded with it."""

import dataclasses

import numpy as np
import pytest

from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.search.request import Hypothesis, SearchOptions, SearchRequest
from lstmlm.decoding.search.sampling import draw
from tests.decoding.toy import END, PIECES, Toy, sources, written


def plain(toy, ids, options, seed=0):
    """One request by itself, without slots."""
    history, out = toy.first(ids), []
    while len(out) < options.max_tokens:
        logits = toy.table[history].copy()
        logits[list(options.constraints.banned(out))] = -np.inf
        if options.method == "greedy":
            token = int(logits.argmax())
        else:
            place = np.array([len(out)])
            token = int(draw(logits[None], np.array([seed]), place, temperature=options.temperature,
                             top_k=options.top_k, top_p=options.top_p)[0])  # fmt: skip
        if token == END:
            break
        out.append(token)
        history = (history * 31 + token) % 997
    return tuple(out)


OPTIONS = [
    SearchOptions(max_tokens=12),
    SearchOptions(max_tokens=12, constraints=Constraints(min_tokens=3, no_repeat_ngram=2)),
    SearchOptions("sample", max_tokens=12, temperature=1.3),
    SearchOptions("sample", max_tokens=12, top_k=3),
    SearchOptions("sample", max_tokens=12, top_p=0.7, constraints=Constraints(no_repeat_ngram=1)),
]


@pytest.mark.parametrize("options", OPTIONS, ids=["greedy", "greedy-constrained", "sample", "top-k", "top-p"])
@pytest.mark.parametrize("rows", [1, 4, 17, 64])
def test_equals_a_plain_loop_whatever_is_decoded_together(options, rows):
    toy = Toy()
    requests = [SearchRequest(ids, seed) for seed, ids in enumerate(sources(40))]
    found = Engine(toy, options, rows).decode(requests)
    assert found == [[Hypothesis(plain(toy, r.ids, options, r.seed))] for r in requests]


WORDS = Constraints(words=Forbidden(["a", "b b"], PIECES))
WITHOUT_WORDS = [
    SearchOptions(max_tokens=12, constraints=WORDS),
    SearchOptions("sample", max_tokens=12, constraints=WORDS),
    SearchOptions("beam", max_tokens=9, beam=3, n_best=3, constraints=WORDS),
]


@pytest.mark.parametrize("options", WITHOUT_WORDS, ids=["greedy", "sample", "beam"])
def test_no_output_has_a_forbidden_word(options):
    toy, requests = (
        Toy(seed=4, sharpness=1.0),
        [SearchRequest(ids, seed) for seed, ids in enumerate(sources(60, seed=5))],
    )
    found = [best.tokens for ranked in Engine(toy, options, 12).decode(requests) for best in ranked]
    assert not any(WORDS.words.finds(written(tokens)) for tokens in found)
    assert any(" ac" in written(tokens) for tokens in found)  # a longer word that begins like one
    free = dataclasses.replace(options, constraints=Constraints())
    assert any(WORDS.words.finds(written(h.tokens)) for ranked in Engine(toy, free).decode(requests) for h in ranked)


def test_a_word_is_made_longer_only_where_the_model_would():
    """Where the model would end the word, another token is taken in the place of its last piece."""
    toy = Toy(seed=4)
    requests = [SearchRequest(ids) for ids in sources(60, seed=5)]
    free = Engine(toy, SearchOptions(max_tokens=12), 12).decode(requests)
    kept = Engine(toy, SearchOptions(max_tokens=12, constraints=WORDS), 12).decode(requests)
    for (before,), (after,) in zip(free, kept, strict=True):
        if not WORDS.words.finds(written(before.tokens)):
            assert after.tokens == before.tokens


COMPANY = [*OPTIONS, *WITHOUT_WORDS, SearchOptions("beam", max_tokens=9, beam=3, coverage_penalty=0.3)]


@pytest.mark.parametrize("options", COMPANY)
def test_a_request_gets_the_same_output_in_any_batch(options):
    toy, requests = Toy(seed=3), [SearchRequest(ids, seed) for seed, ids in enumerate(sources(25, seed=3))]
    together = Engine(toy, options, 16).decode(requests)
    assert together == [Engine(toy, options, 16).decode([request])[0] for request in requests]
    assert together == Engine(toy, options, 6).decode(requests[::-1])[::-1]


def test_no_requests_and_limits():
    toy = Toy()
    assert Engine(toy, SearchOptions()).decode([]) == []
    requests = [SearchRequest(ids, limit=limit) for ids, limit in zip(sources(9), range(1, 10), strict=True)]
    whole = Engine(toy, SearchOptions(max_tokens=5)).decode([SearchRequest(r.ids) for r in requests])
    limited = Engine(toy, SearchOptions(max_tokens=5)).decode(requests)
    for (long,), (short,), request in zip(whole, limited, requests, strict=True):
        assert short.tokens == long.tokens[: request.limit]


def test_no_row_waits_for_the_longest():
    """The rows computed are little more than the tokens decoded."""
    toy = Toy(sharpness=1.0)
    found = Engine(toy, SearchOptions(max_tokens=60), 16).decode([SearchRequest(ids) for ids in sources(400)])
    tokens = sum(len(best.tokens) + 1 for (best,) in found)
    assert toy.rows < 1.2 * tokens
    longest = max(len(best.tokens) for (best,) in found)
    assert tokens < 0.5 * longest * len(found)  # batches that wait would compute this much and more
