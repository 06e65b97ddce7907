"""A model in Python: lists and streams in, typed outputs out, as the batch job makes them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lstmlm
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "a name of a class", "if", "the statement is executed"]
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)
of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)


def outputs(model: lstmlm.Model, texts: list[str]) -> list[lstmlm.Generated]:
    return model.translate(texts) if model.task.has_targets else model.generate(texts)


@pytest.mark.parametrize("method", ["greedy", "sample"])
def test_outputs_are_those_of_the_batch_job(exported: TinyRun, tmp_path: Path, method: str) -> None:
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    decoding = exported.recipe.decoding.model_copy(update={"method": method})
    recipe = exported.recipe.model_copy(update={"decoding": decoding})
    infer(recipe, exported.export, tmp_path / "out", Silent(), input=tmp_path / "in.txt")
    lines = [line for part in sorted((tmp_path / "out").glob("pred*")) for line in part.read_text("utf-8").splitlines()]
    model = lstmlm.load(exported.export, decoding={"method": method, "max_tokens": 12}, threads=1)
    assert [one.text for one in outputs(model, TEXTS)] == [json.loads(line)["output"] for line in lines]


@of_translate
def test_a_stream_of_any_length_is_read_block_by_block(exported: TinyRun) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        for number in itertools.count():
            read += 1
            yield f"the statement {number % 7}"

    found = list(itertools.islice(lstmlm.load(exported.export).stream(endless(), block=8), 20))
    assert [one.source for one in found if isinstance(one, lstmlm.Generated)][-1] == "the statement 5"
    assert read == 24


@of_translate
def test_the_best_texts_and_the_scores_of_tokens_are_typed(exported: TinyRun) -> None:
    decoding = {"method": "beam", "beam": 4, "n_best": 3, "scores": True, "length_penalty": 0.0}
    (found,) = lstmlm.load(exported.export, decoding=decoding).translate(["The statement"])
    assert found.n_best[0].text == found.text
    scores = [one.score for one in found.n_best if one.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == len(found.n_best) > 1
    assert found.log_probability is not None
    total = sum(one.log_probability for one in found.token_scores)
    np.testing.assert_allclose([found.log_probability, scores[0]], total, rtol=1e-3)
    assert "".join(one.token for one in found.token_scores).split() == found.text.split()


def test_scores_of_given_texts_add_up_token_by_token(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export)
    given = [("the name", "THE NAME"), ("a", "")] if model.task.has_targets else ["the name", "if"]
    for one in model.score(given):
        assert one.token_scores[-1].token == ""
        np.testing.assert_allclose(one.log_probability, sum(each.log_probability for each in one.token_scores), 1e-4)
        np.testing.assert_allclose(one.perplexity, np.exp(-one.log_probability / len(one.token_scores)), rtol=1e-4)


@of_translate
def test_attention_has_a_weight_for_each_token_of_both_texts(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export)
    (found,) = model.attention([("The statement", "THE STATEMENT")])
    assert "".join(found.source).split() == ["The", "statement"]
    assert "".join(found.text).split() == ["THE", "STATEMENT"]
    weights = np.array(found.weights)
    assert weights.shape == (len(found.text), len(found.source))
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(lstmlm.UserError, match="attention: not a pair of texts"):
        model.attention(["The statement"])  # type: ignore[list-item]


@of_generate
def test_a_language_model_attends_to_no_source(exported: TinyRun) -> None:
    with pytest.raises(lstmlm.UserError, match="of the task generate attends to no source"):
        lstmlm.load(exported.export).attention([("a", "b")])


@of_translate
def test_an_input_without_an_output_is_an_error_or_in_its_place(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export)
    with pytest.raises(lstmlm.UserError, match=r"^input 1: not text, but int\. Leave it out"):
        model.translate(["a", 3])  # type: ignore[list-item]
    found = model.translate(["a", 3, " ", "b"], errors="return")  # type: ignore[list-item]
    assert [type(one).__name__ for one in found] == ["Generated", "Failed", "Failed", "Generated"]


@of_generate
@pytest.mark.parametrize("given", ["one text", b"bytes", {"text": "x"}, 3])
def test_one_input_is_not_read_as_several(exported: TinyRun, given: object) -> None:
    model = lstmlm.load(exported.export)
    for call in (model.generate, model.score, model.stream, model.predict):
        with pytest.raises(lstmlm.UserError, match=r"takes a list of .* Put it into a list"):
            call(given)  # type: ignore[operator]


@of_generate
def test_another_task_s_call_names_the_right_one(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export)
    with pytest.raises(lstmlm.UserError, match=r"cannot translate\. Use model\.generate"):
        model.translate(["a"])


@of_translate
def test_rows_have_the_columns_of_the_corpus(exported: TinyRun) -> None:
    (row,) = lstmlm.load(exported.export).predict([{"en": "The statement", "other": 1}])
    assert row["source"] == "The statement"
    with pytest.raises(lstmlm.UserError, match=r"input 0: no field 'en'"):
        list(lstmlm.load(exported.export).predict([{"text": "x"}]))


def test_a_model_is_loaded_and_used_without_tensorflow(exported: TinyRun) -> None:
    verb = "translate" if exported.recipe.task == "translate" else "generate"
    code = (
        "import sys, lstmlm\n"
        "assert not set(sys.modules) & {'numpy', 'onnxruntime', 'pydantic'}, 'import lstmlm is not light'\n"
        f"model = lstmlm.load({str(exported.export)!r}, decoding={{'scores': True}})\n"
        f"assert len(model.{verb}(['a', 'b', 'c'])) == 3\n"
        "sys.exit(' '.join(sorted(set(sys.modules) & {'tensorflow', 'apache_beam', 'ray', 'pyarrow'})) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@of_translate
def test_a_model_decodes_in_another_way_with_the_same_weights(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export, threads=1)
    decoding = {"method": "beam", "beam": 4, "n_best": 3}
    other = model.decoding_as(decoding)
    assert other.translate(TEXTS) == lstmlm.load(exported.export, decoding=decoding, threads=1).translate(TEXTS)
    assert model.translate(TEXTS) == lstmlm.load(exported.export, threads=1).translate(TEXTS)
    assert other.engine_model is not None
    assert model.engine_model is not None
    assert other.engine_model.backend is model.engine_model.backend
    for wrong, message in [
        ({"beem": 3}, r"decoding\.beem: no such field"),
        ({"n_best": 3}, "needs method beam or sample"),
        ({"precision": "int8"}, r"decoding\.precision: decided when the model is loaded, and is float32"),
    ]:
        with pytest.raises(lstmlm.UserError, match=message):
            model.decoding_as(wrong)
