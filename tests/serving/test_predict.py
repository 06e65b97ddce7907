"""Outputs over HTTP are those of the Python interface, whoever asks at the same time; what is wrong is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lstmlm
from tests.serving.conftest import Running
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "a name of a class", "if", "the statement is executed", "x = 1", "with open as f"]
of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)
WAYS: list[dict[str, Any]] = [
    {},
    {"method": "sample", "n_best": 3},
    {"method": "beam", "beam": 4, "n_best": 3, "scores": True},
    {"max_tokens": 3, "scores": True},
]


def expected(exported: TinyRun, texts: list[str], decoding: dict[str, Any]) -> list[dict[str, Any]]:
    model = lstmlm.load(exported.export, decoding=decoding, threads=1)
    return list(model.predict([{model.recipe.inference.field: text} for text in texts]))


def test_many_clients_at_once_get_what_one_gets_by_itself(exported: TinyRun, server: Running) -> None:
    model = lstmlm.load(exported.export, threads=1)
    field = model.recipe.inference.field
    single = {text: next(iter(model.predict([{field: text}]))) for text in TEXTS}
    asked = [TEXTS[n % len(TEXTS)] for n in range(96)]
    with ThreadPoolExecutor(24) as clients:
        found = list(clients.map(lambda text: server.predict([text]), asked))
    assert found == [[single[text]] for text in asked]


@of_translate
@pytest.mark.parametrize("decoding", WAYS, ids=["as exported", "sample", "beam", "few tokens"])
def test_a_request_says_how_it_is_decoded(exported: TinyRun, server: Running, decoding: dict[str, Any]) -> None:
    found = server.predict(TEXTS, decoding=decoding)
    for ours, theirs in zip(found, expected(exported, TEXTS, decoding), strict=True):
        assert ours["output"] == theirs["output"]
        assert [one["output"] for one in ours.get("n_best", [])] == [one["output"] for one in theirs.get("n_best", [])]
        assert ours.keys() == theirs.keys()
        if "log_probability" in theirs:
            assert ours["log_probability"] == pytest.approx(theirs["log_probability"], rel=1e-4)


@of_generate
def test_a_seed_decides_the_draws(server: Running) -> None:
    def drawn(**more: Any) -> list[str]:
        found = server.predict(["The statement"] * 3, decoding={"method": "sample", "temperature": 2.0}, **more)
        return [one["output"] for one in found]

    assert drawn(seed=1) == drawn(seed=1)
    assert drawn(seed=1) != drawn(seed=2)
    assert len(set(drawn(seed=1))) > 1


@of_translate
def test_an_input_that_cannot_be_read_costs_the_others_nothing(server: Running) -> None:
    first, second, third, fourth = server.predict(["a", 3, " ", "b"])
    assert (second, set(third)) == ({"error": "not text, but int"}, {"error"})
    assert first["source"] == "a"
    assert fourth["source"] == "b"


@of_translate
@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "not JSON"),
        (b'{"inputs": "one text"}', 400, '{"inputs": [...]}, each input a text'),
        ({"inputs": []}, 400, "0 inputs"),
        ({"inputs": ["a"], "beam": 3}, 400, "unknown field 'beam'"),
        ({"inputs": ["a"], "seed": -1}, 400, "seed is not"),
        ({"inputs": ["a"], "decoding": {"method": "best"}}, 400, "decoding.method"),
        ({"inputs": ["a"], "decoding": {"n_best": 2}}, 400, "needs method beam or sample"),
        ({"inputs": ["a"], "decoding": {"max_tokens": 13}}, 400, "allows at most 12"),
        ({"inputs": ["a"], "decoding": {"method": "beam", "beam": 99}}, 400, "decoding.beam is 99"),
        ({"inputs": ["a"], "decoding": {"precision": "int8"}}, 400, "decided when the server starts"),
        ({"inputs": ["a" * 30000]}, 413, ""),
    ],
)
def test_a_wrong_request_is_refused_with_its_reason(server: Running, body: Any, status: int, message: str) -> None:
    answer = server.ask("/predict", body)
    assert (answer.status, message in answer.content["error"]) == (status, True), answer.body
    assert server.predict(["a"])[0]["source"] == "a"


@of_generate
def test_what_is_asked_for_has_a_place_and_a_way(server: Running) -> None:
    assert server.ask("/absent").status == 404
    assert server.ask("/predict").status == 405
    assert server.ask("/predict", b"{}", Content_Type="text/plain").status == 415
    assert server.ask("/predict", b"{}", Content_Encoding="gzip").status == 415
    facts = server.ask("/model").content
    assert (facts["task"], facts["kind"]) == ("generate", "generate")
    assert facts["input"] == 'a text, or an object {"text": ..., "forced": [...], "forbidden": [...]}'


@of_generate
def test_health_and_metrics_say_what_was_done(server: Running) -> None:
    def counts() -> dict[str, float]:
        lines = server.ask("/metrics").body.decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}

    assert server.ask("/healthz").content["status"] == "ok"
    before = counts()
    server.predict(["The statement", 3])
    server.ask("/predict", b"{")
    after = counts()
    assert after['lstmlm_inputs_total{outcome="done"}'] - before['lstmlm_inputs_total{outcome="done"}'] == 1
    assert after["lstmlm_outputs_size_total"] - before["lstmlm_outputs_size_total"] in range(1, 13)
    assert after["lstmlm_slot_rows_total"] > before["lstmlm_slot_rows_total"]
    assert after['lstmlm_requests_total{code="400"}'] - before.get('lstmlm_requests_total{code="400"}', 0) == 1
    assert after["lstmlm_inputs_open"] == 0
