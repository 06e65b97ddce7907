"""Inputs that say what their outputs are like, and ensembles, over HTTP: as in the Python interface."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import lstmlm
from tests.inference.model.test_members import another
from tests.serving.conftest import Running, serving
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)
BEAM = {"method": "beam", "beam": 4, "n_best": 2}
TEXT = "a name of a class"
ASKED: list[Any] = [
    "the statement",
    {"text": "the statement"},
    {"text": "the statement", "prefix": "A NAME"},
    {"text": TEXT, "forced": ["THE", "NAME OF"]},
    {"text": TEXT, "forbidden": ["IS"], "prefix": None},
    {"text": "if it is executed", "prefix": "THE", "forced": ["IF"], "forbidden": ["A", "OR"]},
]


def written(model: lstmlm.Model, given: Any) -> tuple[str, list[str]]:
    fields = {name: value for name, value in given.items() if value} if isinstance(given, dict) else {"text": given}
    (found,) = model.translate([lstmlm.Constrained(**fields)])
    return found.text, [one.text for one in found.n_best]


@of_translate
def test_outputs_are_as_their_inputs_ask_whoever_else_asks(exported: TinyRun, server: Running) -> None:
    model = lstmlm.load(exported.export, decoding=BEAM, threads=1)
    expected = [written(model, given) for given in ASKED]
    with ThreadPoolExecutor(12) as clients:
        found = list(clients.map(lambda n: server.predict([ASKED[n % 6]], decoding=BEAM)[0], range(36)))
    for number, one in enumerate(found):
        assert (one["output"], [each["output"] for each in one["n_best"]]) == expected[number % 6]
    assert expected[0] == expected[1]
    assert expected[2][0].startswith("A NAME")
    assert "NAME OF" in expected[3][0]


@of_translate
@pytest.mark.parametrize(
    ("given", "decoding", "problem"),
    [
        ({"text": TEXT, "forced": ["IF"]}, {}, "forced phrases need decoding.method beam"),
        ({"text": TEXT, "prefix": "A NAME OF A"}, {"max_tokens": 2}, "longer than decoding.max_tokens (2)"),
        ({"text": TEXT, "prefix": "THE", "forbidden": ["THE"]}, {}, "has a forbidden word in it"),
        ({"text": TEXT, "forced": 3}, BEAM, "neither text nor a list of texts"),
        ({"text": TEXT, "force": ["IF"]}, {}, "unknown field 'force' of an input; there are text, prefix, forced"),
        ({"forced": ["IF"]}, {}, "needs a text"),
    ],
)
def test_what_cannot_be_is_an_error_in_its_place(server: Running, given: Any, decoding: Any, problem: str) -> None:
    (plain,) = server.predict([TEXT], decoding=decoding)
    first, second, third = server.predict([TEXT, given, TEXT], decoding=decoding)
    assert first == third == plain
    assert set(second) == {"error"}
    assert problem in second["error"]


@of_translate
def test_phrases_that_have_no_room_leave_no_output(server: Running) -> None:
    given = {"text": TEXT, "forced": ["NAME OF"]}
    (found,) = server.predict([given], decoding={**BEAM, "max_tokens": 1})
    assert found == {"error": "no output is as its phrases, its prefix and decoding.max_tokens ask for"}


@of_generate
def test_a_language_model_has_no_prefix(server: Running) -> None:
    first, second = server.predict([{"text": "if", "prefix": "it"}, {"text": "if", "forbidden": ["the"]}])
    assert "put it at the end of the prompt" in first["error"]
    assert second["source"] == "if"


@of_translate
def test_several_exports_are_served_as_an_ensemble(exported: TinyRun, tmp_path: Path) -> None:
    other = another(exported, tmp_path / "other")
    texts = ["The statement", "a name of a class", "if", "the statement is executed"]
    ensemble = [one.text for one in lstmlm.load([exported.export, other], threads=1).translate(texts)]
    assert ensemble != [one.text for one in lstmlm.load(exported.export, threads=1).translate(texts)]
    with serving(exported.export, str(other)) as running:
        assert [one["output"] for one in running.predict(texts)] == ensemble
        assert len(running.ask("/model").content["ensemble"]) == 1
