"""Options of speech recognition: which stages run again when one changes, and which do not."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from lstmlm.bases.speech.options import TranscribeOptions
from lstmlm.publish.folder import publish
from lstmlm.recipe.file import load_recipe
from lstmlm.stages import STAGES


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("rate=4000", {"ingest", "tokenizer", "examples", "train", "export", "infer", "evaluate"}),
        ("augment.noise=0.9", {"train"}),
        ("lexicon=true", {"export", "infer", "evaluate"}),
        ("language_model=elsewhere", {"export", "infer", "evaluate"}),
    ],
)
def test_an_option_decides_the_stages_of_its_section(
    root: Path, monkeypatch: pytest.MonkeyPatch, change: str, again: set[str]
) -> None:
    monkeypatch.setenv("LSTMLM_CORPORA", "corpora")
    path = root / "pipelines" / "recipes" / "fsdd.yaml"
    before, after = load_recipe(path), load_recipe(path, [f"task_options.{change}"])
    stages = ("ingest", "tokenizer", "examples", "train", "export", "infer", "evaluate")
    assert {name for name in stages if STAGES[name].decided(before) != STAGES[name].decided(after)} == again


def test_buckets_hold_the_longest_recording_and_grow_by_a_quarter() -> None:
    for longest in (0.2, 5.0, 30.0):
        buckets = TranscribeOptions(longest=longest).buckets()
        assert buckets[-1] >= longest * 100
        assert all(small < large <= 1.25 * small + 8 for small, large in itertools.pairwise(buckets))


def test_another_language_model_at_the_same_place_decides_what_decodes_with_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTMLM_CORPORA", "corpora")
    changes = [f"task_options.language_model={tmp_path / 'words'}", "decoding.method=beam"]
    recipe = load_recipe(root / "pipelines" / "recipes" / "fsdd.yaml", changes)
    found = []
    for stamp in ("first", "second"):
        shutil.rmtree(tmp_path / "words", ignore_errors=True)
        with publish(tmp_path / "words", "export", stamp) as draft:
            (draft.path / "model.json").write_text("{}")
        found.append([STAGES[name].outside_fingerprint(recipe) for name in ("evaluate", "infer")])
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]
