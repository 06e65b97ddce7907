"""Metrics by name: those of this package, one of another, and what checks know of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.checks.recipe import checked_recipe
from lstmlm.errors import UserError
from lstmlm.evaluation.baselines import shortfalls
from lstmlm.evaluation.metric import METRICS, Outputs, baselines_of, bounds_of, measure_texts, with_baselines
from lstmlm.recipe.file import parse_recipe
from lstmlm.stages import STAGES
from lstmlm.task import load_task

MODULE = """
from lstmlm.evaluation.metric import Baseline, TextMetric

class WordErrors(TextMetric):
    values = {"word_errors": "lower"}
    bounds = (0.0, 50.0)
    baseline = Baseline("silent", "saying nothing", lambda sources, references: ["" for _ in sources])

    def measure(self, outputs):
        pairs = zip(outputs.texts, outputs.references)
        wrong = [min(abs(len(t.split()) - len(o.split())) for t in texts) for o, texts in pairs]
        return {"word_errors": sum(wrong) / len(wrong), "word_errors_signature": f"language:{outputs.language}"}

class Later(WordErrors):
    version = "2"
"""
RECIPE = "name: r\ntask: translate\ncorpus: {train: a.tsv, target: fr}\n"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with the metric `word_errors`."""
    facts = tmp_path / "counting-1.dist-info"
    facts.mkdir()
    (tmp_path / "counting_words.py").write_text(MODULE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[lstmlm.metrics]\nword_errors = counting_words:WordErrors\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("counting_words", None)


def test_a_metric_is_measured_of_outputs_and_of_its_baseline() -> None:
    found = measure_texts(
        ["word_errors", "chrf"], Outputs(["a b", "c"], [["a b c", "d e"], ["f g h"]], ["x", "y"], "fr")
    )
    assert found["word_errors"] == 1.0
    assert found["silent_word_errors"] == 2.5
    assert found["word_errors_signature"] == "language:fr"
    assert {"chrf", "copy_chrf", "chrf_signature"} < {*found}
    assert {*with_baselines(["word_errors", "chrf"])} == {name for name in found if not name.endswith("signature")}


def test_every_metric_of_this_package_gives_what_it_says() -> None:
    for name in METRICS.builtin():
        found = measure_texts([name], Outputs(["one of two"], [["one of three"]], ["source"], seed=1))
        assert {*with_baselines([name])} == {value for value in found if not value.endswith("signature")}
        for value, (least, most) in bounds_of([name]).items():
            assert least <= float(found[value]) <= most


def test_a_model_that_is_worse_than_the_baseline_is_reported() -> None:
    (sentence,) = shortfalls({"word_errors": 3.0, "silent_word_errors": 2.5}, load_task("translate"), ["word_errors"])
    assert "worse than saying nothing: word_errors is 3" in sentence
    assert shortfalls({"word_errors": 2.0, "silent_word_errors": 2.5}, load_task("translate"), ["word_errors"]) == []
    assert baselines_of(["bleu"]) == {"bleu": ("copy_bleu",)}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("evaluation: {metrics: [word_error]}", r"no metric named 'word_error'\. Did you mean `word_errors`"),
        ("evaluation: {metrics: ['json:loads']}", r"'json:loads' is not a metric but function"),
        ("evaluation: {thresholds: {word_errors: {max: 1}}}", "no evaluation metric 'word_errors'"),
        ("evaluation: {thresholds: {bleu: {min: 101}}}", r"can be within the bounds\. Its values are 0 to 100"),
        (
            "evaluation: {metrics: [word_errors], thresholds: {silent_word_errors: {min: 60}}}",
            r"no value can be within the bounds\. Its values are 0 to 50",
        ),
    ],
)
def test_a_mistake_is_found_before_the_run(lines: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE + lines + "\n")
    with pytest.raises(UserError, match=message) as caught:
        checked_recipe(tmp_path / "r.yaml")
    assert "r.yaml:4" in str(caught.value)


def test_a_recipe_without_has_its_fingerprint_and_versions_count() -> None:
    plain = parse_recipe(RECIPE, "r.yaml")
    assert "metrics" not in STAGES["evaluate"].decided(plain)["evaluation"]
    added = parse_recipe(RECIPE, "r.yaml", ["evaluation.metrics=[word_errors]"])
    assert STAGES["evaluate"].decided(added)["evaluation"]["metrics"] == ["word_errors"]
    assert METRICS.versions(["bleu", "word_errors", "counting_words:Later"]) == [
        "word_errors 1",
        "counting_words:Later 2",
    ]


def test_a_task_without_outputs_to_compare_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("name: r\ntask: generate\ncorpus: {train: a}\nevaluation: {metrics: [bleu]}\n")
    with pytest.raises(UserError, match=r"r\.yaml:4: evaluation\.metrics: only for tasks of pairs"):
        checked_recipe(tmp_path / "r.yaml")
