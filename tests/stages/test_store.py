"""The stages between ingest and inference, from a store to a store: the digests of the same on a disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath
from tests.conftest import Lstmlm
from tests.stores import keys, uploaded

CHANGES = {"saved_model.pb", "fingerprint.pb"}
"""Files that hold TensorFlow's numbers of functions."""

pytestmark = pytest.mark.slow


def sums(manifest: Manifest) -> dict[str, Any]:
    return {name: facts["sha256"] for name, facts in manifest.files.items() if name not in CHANGES}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))


def test_vocabulary_and_examples(stages: Path, recipe: Recipe, bucket: StorePath, s3: Any) -> None:
    from lstmlm.examples.build import build_examples
    from lstmlm.vocabulary.stage import train_tokenizer

    records = uploaded(stages / "records", bucket / "records")
    words = train_tokenizer(recipe, records, bucket / "tokenizer", Silent())
    assert sums(words) == sums(read_manifest(stages / "tokenizer"))
    examples = build_examples(recipe, records, bucket / "tokenizer", bucket / "examples", Silent())
    here = read_manifest(stages / "examples")
    assert (sums(examples), examples.facts, examples.fingerprint) == (sums(here), here.facts, here.fingerprint)
    written = {key for key in keys(s3, bucket) if key.startswith(("tokenizer/", "examples/", "."))}
    named = {"tokenizer": words, "examples": examples}
    assert written == {f"{name}/manifest.json" for name in named} | {
        f"{name}/{one.attempt}/{file}" for name, one in named.items() for file in one.files
    }


def test_export_and_evaluation(stages: Path, recipe: Recipe, bucket: StorePath, tmp_path: Path, lstmlm: Lstmlm) -> None:
    from lstmlm.evaluation.run import evaluate
    from lstmlm.export import export
    from tests.tiny import untrained

    untrained(recipe, stages / "tokenizer", tmp_path / "model")
    here = export(recipe, tmp_path / "model", stages / "tokenizer", tmp_path / "export", Silent())
    model, words = uploaded(tmp_path / "model", bucket / "model"), uploaded(stages / "tokenizer", bucket / "tokenizer")
    there = export(recipe, model, words, bucket / "export", Silent())
    assert (sums(there), there.fingerprint) == (sums(here), here.fingerprint)
    records = uploaded(stages / "records", bucket / "records")
    measured = evaluate(recipe, tmp_path / "export", stages / "records", tmp_path / "evaluation", Silent())
    again = evaluate(recipe, bucket / "export", records, bucket / "evaluation", Silent())
    assert sums(again) == sums(measured)
    done = lstmlm("score", "-h")
    assert "also of s3:// or" in done.stdout


def test_a_stage_that_needs_a_disk_says_so_before_any_work(bucket: StorePath, tmp_path: Path, lstmlm: Lstmlm) -> None:
    (tmp_path / "r.yaml").write_text("name: r\ntask: generate\ncorpus: {train: t.txt}\n")
    (tmp_path / "t.txt").write_text("text\n")
    words = ["vectors", "r.yaml", "--tokenizer", f"{bucket}/tokenizer", "--input", "t.txt", "-o", "out"]
    done = lstmlm(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "--tokenizer: s3://" in done.stderr
    assert "only folders of this machine" in done.stderr
