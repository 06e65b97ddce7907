"""Ensembles against enumeration and plain loops, and one model twice against that model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.decoding.backend import pad, start
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.ensemble import Ensemble
from lstmlm.decoding.score import score
from lstmlm.decoding.search.hypotheses import length_penalty
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.seq2seq import Seq2Seq
from tests.decoding.test_backends import MOST, POINTING, SIZES, VOCABULARY, onnx_backend, requests, sharpened
from tests.decoding.toy import END, Toy, sources

TOYS = [Toy(vocabulary=6, seed=seed, sharpness=1.0) for seed in range(3)]


def mean_table(toys):
    """The log-probabilities of the mean distribution after a history; all toys hash histories in the same way."""
    mean = np.mean([toy.log_table().astype(np.float64) for toy in toys], axis=0)
    return mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))


def total(toys, ids, tokens, most):
    """Log-probability of a text; *end* counts where there was room for it."""
    table, history, found = mean_table(toys), toys[0].first(ids), 0.0
    for token in [*tokens, *([END] if len(tokens) < most else [])]:
        found += float(table[history, token])
        history = (history * 31 + token) % 997
    return found


def test_a_beam_as_wide_as_the_search_space_finds_the_best_texts():
    options = SearchOptions("beam", max_tokens=4, beam=700, n_best=5, length_penalty=0.6)
    texts = [text for size in range(5) for text in itertools.product([1, 2, 4, 5], repeat=size)]
    for ids in sources(3, longest=6):
        (found,) = Engine(Ensemble(TOYS), options, 700).decode([SearchRequest(ids)])
        ranked = [(total(TOYS, ids, t, 4) / length_penalty(len(t) + (len(t) < 4), 0.6), t) for t in texts]
        expected = sorted(ranked, key=lambda entry: -entry[0])[:5]
        assert [one.tokens for one in found] == [tokens for _, tokens in expected]
        np.testing.assert_allclose([one.score for one in found], [value for value, _ in expected], rtol=1e-5)


def test_greedy_takes_the_token_that_is_likeliest_on_average():
    table = mean_table(TOYS)
    found = Engine(Ensemble(TOYS), SearchOptions(max_tokens=9), 16).decode([SearchRequest(ids) for ids in sources(40)])
    for ids, (best,) in zip(sources(40), found, strict=True):
        history, tokens = TOYS[0].first(ids), []
        while len(tokens) < 9 and (token := int(table[history].argmax())) != END:
            tokens.append(token)
            history = (history * 31 + token) % 997
        assert best.tokens == tuple(tokens)


def test_texts_are_scored_by_the_mean():
    texts = [[4, 5, END], [5, 5, 4, END], [END]]
    wanted = [SearchRequest(ids) for ids in sources(3)]
    found = score(Ensemble(TOYS), wanted, texts, 2)
    expected = [total(TOYS, one.ids, text[:-1], 99) for one, text in zip(wanted, texts, strict=True)]
    np.testing.assert_allclose([one.log_probability for one in found], expected, rtol=1e-5)


COVERING = SIZES.model_copy(update={"coverage": True})
NETWORKS = {
    "pairs": (Seq2Seq, [SIZES, SIZES.model_copy(update={"units": 20, "layers": 1})]),
    "language": (LanguageModel, [SIZES, SIZES.model_copy(update={"units": 20})]),
    "covering and pointing": (Seq2Seq, [COVERING, POINTING, POINTING.model_copy(update={"coverage": True})]),
}
WAYS = {
    "greedy": SearchOptions(max_tokens=MOST),
    "sample": SearchOptions("sample", max_tokens=MOST, temperature=0.8),
    "beam": SearchOptions("beam", max_tokens=MOST, beam=4, n_best=4, length_penalty=0.7),
}


def networks(name):
    kind, sizes = NETWORKS[name]
    found = [sharpened(kind(one, VOCABULARY, seed, tf.float32)) for seed, one in enumerate(sizes)]
    for network in found:
        if network.covers:
            network.attention.coverage.assign(-2.0)
    return found


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_one_model_twice_is_that_model(name, options):
    network = networks(name)[-1]
    one, wanted = onnx_backend(network), requests(network, 30)
    single, twice = (Engine(backend, options, 16).decode(wanted) for backend in (one, Ensemble([one, one])))
    assert [[h.tokens for h in ranked] for ranked in twice] == [[h.tokens for h in ranked] for ranked in single]
    for left, right in zip(twice, single, strict=True):
        np.testing.assert_allclose([h.score for h in left], [h.score for h in right], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_different_sizes_decode_as_a_plain_loop_over_them(name):
    members = [onnx_backend(network) for network in networks(name)]
    wanted = requests(networks(name)[0], 20)
    found = Engine(Ensemble(members), SearchOptions(max_tokens=MOST), 8).decode(wanted)
    for request, (best,) in zip(wanted, found, strict=True):
        assert list(best.tokens) == plain(members, request.ids)
    singly = [Engine(member, SearchOptions(max_tokens=MOST), 8).decode(wanted) for member in members]
    assert all(found != one for one in singly)


def plain(members, ids):
    """Decodes one request greedily: each model by itself, a mean at each step."""
    read, token = start(members[0].closes_source, ids)
    rows, out = [member.encode(*pad([read], max(1, len(read)))) for member in members], []
    while len(out) < MOST:
        logs = []
        for member, state in zip(members, rows, strict=True):
            logits = member.logits(state, np.array([token]))[0][0].astype(np.float64)
            logs.append(logits - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
        token = int(np.mean(logs, axis=0).argmax())
        if token == END:
            break
        out.append(token)
    return out


def test_company_changes_nothing():
    ensemble = Ensemble([onnx_backend(network) for network in networks("covering and pointing")])
    wanted = requests(networks("pairs")[0], 24)
    for options in WAYS.values():
        together = Engine(ensemble, options, 24).decode(wanted)
        assert together == [Engine(ensemble, options, 24).decode([request])[0] for request in wanted]


def test_models_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one vocabulary"):
        Ensemble([Toy(vocabulary=6), Toy(vocabulary=7)])
