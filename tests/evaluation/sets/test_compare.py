"""Two models are compared on the same records: a difference is certain where it is in most samples of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest

from lstmlm.cli.app import run
from lstmlm.evaluation.metric import METRICS, Outputs
from lstmlm.evaluation.sets.compare import paired
from lstmlm.export import export
from lstmlm.progress import Silent
from lstmlm.records.sums import f1_of, mean_of, ratio_of
from tests.evaluation.sets.test_evaluate import held_out_file
from tests.tiny import TinyRun, untrained

WORDS = ["the", "film", "is", "a", "lovely", "thing", "of", "many", "words", "and", "some", "others"]


def texts(count: int, seed: int, wrong: float) -> tuple[list[str], list[list[str]]]:
    """Returns outputs, a share of whose words are wrong, and their references."""
    draw = random.Random(seed)
    references = [" ".join(random.Random(n).choices(WORDS, k=12)) for n in range(count)]
    outputs = [
        " ".join("x" if draw.random() < wrong else word for word in reference.split()) for reference in references
    ]
    return outputs, [[reference] for reference in references]


@pytest.mark.parametrize("name", METRICS.builtin())
def test_sums_over_all_records_give_the_metric(name: str) -> None:
    outputs, references = texts(40, 1, 0.3)
    some = Outputs(outputs, references, outputs)
    measured, sums = METRICS.load(name).measure(some), METRICS.load(name).sums(some)
    assert set(sums) == set(METRICS.load(name).values)
    for value, one in sums.items():
        assert one.value(one.rows.sum(axis=0)) == pytest.approx(measured[value])
        assert one.better == METRICS.load(name).values[value]


@pytest.mark.parametrize("wrong", [0.27, 0.24, 0.15])
def test_the_probability_is_close_to_that_of_approximate_randomization(wrong: float) -> None:
    (first, references), (second, _) = texts(100, 1, 0.30), texts(100, 2, wrong)
    one, two = (METRICS.load("bleu").sums(Outputs(some, references, some))["bleu"] for some in (first, second))
    ours = paired("bleu", one, two, seed=1)
    systems = [("a", first), ("b", second)]
    _, theirs = PairedTest(systems, {"BLEU": BLEU()}, [[text for (text,) in references]], "ar", 1000)()
    assert ours.b == pytest.approx(theirs["BLEU"][1].score)
    assert ours.p == pytest.approx(theirs["BLEU"][1].p_value, abs=0.1)


def test_a_clear_difference_is_certain_and_none_is_not() -> None:
    good, bad = [1] * 90 + [0] * 10, [1] * 60 + [0] * 40
    found = paired("accuracy", mean_of(bad), mean_of(good), seed=1)
    assert (found.verdict, found.p < 0.01, found.low > 0) == ("b", True, True)
    again = paired("wer", ratio_of(good, [1] * 100, better="lower"), ratio_of(bad, [1] * 100, better="lower"), seed=1)
    assert again.verdict == "b"
    same = paired("f1", f1_of(good, [1] * 100, [1] * 100), f1_of(good, [1] * 100, [1] * 100), seed=1)
    assert (same.difference, same.p, same.verdict) == (0.0, 1.0, "")


def test_the_share_of_false_alarms_is_that_of_the_level() -> None:
    draws = np.random.default_rng(7)
    alarms = sum(
        paired("x", mean_of(draws.random(60)), mean_of(draws.random(60)), seed=n, samples=200).verdict != ""
        for n in range(200)
    )
    assert alarms < 25  # 10 are expected at 5 %; 25 or more come once in 30,000 times


@pytest.mark.slow
def test_two_exports_on_a_file_from_the_command_line(
    exported: TinyRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = exported.recipe.model_copy(update={"seed": 5})
    tokenizer = exported.records.parent / "tokenizer"
    untrained(other, tokenizer, tmp_path / "model")
    export(other, tmp_path / "model", tokenizer, tmp_path / "export", Silent())
    path = held_out_file(exported, tmp_path / "held.jsonl")
    words = ["compare", str(exported.export), str(tmp_path / "export"), "--input", str(path), "--samples", "100"]
    assert run(["--json", *words]) == 0
    shown = capfd.readouterr().out
    found = json.loads(shown[shown.index("{") :])["rows"]  # pytest takes the head of the log for output
    names = {"bleu", "chrf"} if exported.recipe.task == "translate" else {"perplexity", "word_perplexity"}
    assert {one["metric"] for one in found} == names
    assert all(one["95% from"] <= one["B - A"] <= one["to"] for one in found)
    assert run([*words[:2], str(exported.export), *words[3:]]) == 0
    assert "not certain" in capfd.readouterr().out


def test_nothing_to_compare_on_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "one of --input and --records says what to compare on" in capfd.readouterr().err
