"""Models of tasks that are not decoded by the engine, over HTTP: what the batch job writes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import lstmlm
from lstmlm.recipe.file import parse_recipe
from tests.serving.conftest import serving
from tests.stage_runs import run_stages
from tests.tasks import test_answer, test_classify, test_transcribe

pytestmark = pytest.mark.slow  # a model is trained for some steps
FEW = ["training.steps=4", "training.warmup=2", "training.evaluate_every=4", "training.checkpoint_every=4"]


def same(found: Any, expected: Any) -> bool:
    """Says whether two outputs are equal; numbers of other batches differ in their last digits."""
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-4, abs=1e-6))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


@pytest.mark.parametrize("kind", ["one", "many", "tokens"])
def test_labels(tmp_path: Path, kind: str) -> None:
    rows = list(test_classify.rows(80, 1))
    test_classify.write(tmp_path / "train.jsonl", rows)
    test_classify.write(tmp_path / "valid.jsonl", rows[:20])
    run_stages(test_classify.recipe_of(tmp_path, kind, FEW), tmp_path)
    texts = [row["text"] for row in rows[:12]]
    expected = list(lstmlm.load(tmp_path / "export").predict([{"text": text} for text in texts]))
    with serving(tmp_path / "export") as running:
        facts = running.ask("/model").content
        assert (facts["kind"], facts["input"], facts["decoding"]) == ("classify", "a text", None)
        assert same(running.predict(texts), expected)
        assert running.predict(["the film", 3])[1] == {"error": "not text, but int"}
        assert running.predict([{"text": "the film"}]) == [{"error": "not text, but dict"}]
        refused = running.ask("/predict", {"inputs": texts, "decoding": {"method": "beam"}})
        assert (refused.status, "leave decoding out" in refused.content["error"]) == (400, True)


def test_answers(tmp_path: Path) -> None:
    rows = list(test_answer.rows(60))
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = ["task_options.answers=answers.text", "task_options.answer_start=answers.answer_start"]
    places = [f"corpus.root={tmp_path}", f"output={tmp_path / 'runs'}"]
    run_stages(parse_recipe(test_answer.RECIPE, "homes", [*places, *options, *FEW]), tmp_path)
    asked = [{"question": row["question"], "context": row["context"]} for row in rows[:8]]
    expected = list(lstmlm.load(tmp_path / "export").predict(asked))
    with serving(tmp_path / "export") as running:
        assert running.ask("/model").content["kind"] == "answer"
        found = running.predict(asked)
        assert same(found, expected)
        assert all(
            row["context"][one["start"] : one["end"]] == one["answer"] for row, one in zip(asked, found, strict=True)
        )
        as_lists = [[row["question"], row["context"]] for row in asked]
        assert same(running.predict(as_lists), expected)
        wrong = running.predict([{"question": "Where?"}, "Where?"])
        assert [set(one) for one in wrong] == [{"error"}, {"error"}]
        assert wrong[0]["error"] == "not an object with question and context"


def test_transcripts(tmp_path: Path) -> None:
    made = test_transcribe.Run(tmp_path)
    made.root.mkdir()
    test_transcribe.corpus(made.root)
    run_stages(made.recipe(*FEW), tmp_path)
    files = sorted((made.root / "wav").glob("valid*"))[:6]
    model = lstmlm.load(tmp_path / "export")
    expected = model.transcribe([path.read_bytes() for path in files])
    with serving(tmp_path / "export") as running:
        assert running.ask("/model").content["input"] == "the bytes of an audio file in base64"
        found = running.predict([base64.b64encode(path.read_bytes()).decode() for path in files])
        assert [one["output"] for one in found] == [one.text for one in expected]
        assert [one["seconds"] for one in found] == pytest.approx([one.seconds for one in expected])
        named, text, other = running.predict([str(files[0]), "aGVsbG8=", 3])
        assert named == {"error": "not base64 of an audio file"}
        assert set(text) == {"error"}
        assert other == {"error": "not base64, but int"}
