"""The public transforms work in pipelines that are not this project's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference

import lstmlm
from lstmlm.beam import CleanRows, ExportHandler, Predict
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
TEXTS = ["the statement", "a name", "", "the statement"]

of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for part in sorted(folder.glob("*")) for line in part.read_text("utf-8").splitlines()]


@of_generate
def test_texts_with_keys_come_back_with_their_outputs(exported: TinyRun, tmp_path: Path) -> None:
    handler = KeyedModelHandler(ExportHandler(exported.export, decoding={"method": "sample"}))
    with beam.Pipeline(RUNNER) as pipeline:
        _ = (
            pipeline
            | beam.Create(list(enumerate(TEXTS)))
            | RunInference(handler)
            | beam.MapTuple(lambda key, found: json.dumps([key, found.example, found.inference.text]))
            | beam.io.WriteToText(str(tmp_path / "found"))
        )
    model = lstmlm.load(exported.export, decoding={"method": "sample"})
    expected = {text: next(iter(model.stream([text]))) for text in TEXTS}
    assert sorted(lines(tmp_path)) == [[key, text, expected[text].text] for key, text in enumerate(TEXTS)]  # type: ignore[union-attr]


@pytest.mark.parametrize("exported", ["translate"], indirect=True)
def test_a_text_that_fails_is_an_element_of_its_own(exported: TinyRun, tmp_path: Path) -> None:
    with beam.Pipeline(RUNNER) as pipeline:
        _ = (
            pipeline
            | beam.Create(["the name", " "])
            | Predict(exported.export)
            | beam.MapTuple(lambda text, output: json.dumps([text, type(output).__name__]))
            | beam.io.WriteToText(str(tmp_path / "found"))
        )
    assert sorted(lines(tmp_path)) == [[" ", "Failed"], ["the name", "Generated"]]


def test_rows_are_cleaned_dropped_or_dead(tmp_path: Path) -> None:
    recipe = {
        "name": "rows",
        "task": "generate",
        "corpus": {"train": "unused", "normalise": True, "quality": ["gopher"], "privacy": {"kinds": ["email"]}},
    }
    good = "The quick brown fox jumps over the lazy dog, and that of the others have to be with it. " * 8
    rows = [{"text": f"{good}Write to someone@example.com."}, {"text": "Short."}, {"other": 1}, good]
    with beam.Pipeline(RUNNER) as pipeline:
        found = pipeline | beam.Create(rows) | CleanRows(recipe)
        _ = found.records | beam.Map(lambda one: json.dumps(one.source)) | "R" >> beam.io.WriteToText(f"{tmp_path}/r/a")
        _ = found.dropped | beam.Map(lambda one: json.dumps(one[1])) | "D" >> beam.io.WriteToText(f"{tmp_path}/d/a")
        _ = found.dead | beam.Map(lambda one: json.dumps(one)) | "X" >> beam.io.WriteToText(f"{tmp_path}/x/a")
    kept = lines(tmp_path / "r")
    assert len(kept) + len(lines(tmp_path / "d")) + len(lines(tmp_path / "x")) == len(rows)
    assert lines(tmp_path / "x") == [[{"other": 1}, "no column 'text' (there are 'other')"]]
    assert not any("someone@example.com" in text for text in kept)


def test_what_needs_the_whole_corpus_is_refused() -> None:
    corpus = {"train": "unused", "duplicates": {"exact": True}}
    with pytest.raises(lstmlm.UserError, match=r"^corpus\.duplicates: compares the rows of whole files"):
        CleanRows({"name": "rows", "task": "generate", "corpus": corpus})
