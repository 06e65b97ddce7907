"""A corpus is listed, looked at and hashed once, however many ask for its fingerprint."""

from __future__ import annotations

import collections
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.corpus.reading import content
from lstmlm.corpus.sources import files
from lstmlm.corpus.sources.snapshot import corpus_fingerprint, snapshot
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES

NAMES = ("a.txt", "b.txt", "c.jsonl")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "corpus").mkdir()
    for name in NAMES:
        text = f'{{"text": "of {name}"}}\n' if name.endswith("jsonl") else f"A line of {name}.\n"
        (tmp_path / "corpus" / name).write_text(text * 50, encoding="utf-8")
    (tmp_path / "corpus" / "eval").mkdir()
    (tmp_path / "corpus" / "eval" / "asked.txt").write_text("What is asked, in as many words.\n", encoding="utf-8")
    section = {"root": tmp_path / "corpus", "train": "[abc].*", "decontamination": {"files": ["eval/asked.txt"]}}
    return Recipe.model_validate({"name": "test", "task": "generate", "corpus": section})


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, key: Callable[..., str]) -> dict[str, int]:
    """Counts the calls of a module's function by what `key` makes of its arguments."""
    plain, counts = getattr(module, name), collections.Counter[str]()

    def counting(*arguments: Any, **named: Any) -> Any:
        counts[key(*arguments)] += 1
        return plain(*arguments, **named)

    monkeypatch.setattr(module, name, counting)
    return counts


def test_every_file_is_looked_at_and_hashed_once(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = counted(monkeypatch, content, "read_bytes", lambda path, start, end: Path(path).name)
    hashes = counted(monkeypatch, files, "sha256_file", lambda path: path.name)
    listed = counted(monkeypatch, files, "list_files", lambda root, pattern, field, endings: pattern)
    key = STAGES["ingest"].outside_fingerprint(recipe)  # what a runner asks for, to find a cached result
    before = dict(listed)
    assert set(before.values()) == {1}
    assert ingest(recipe, tmp_path / "out", Silent()).fingerprint == key
    assert heads == hashes == dict.fromkeys([*NAMES, "asked.txt"], 1)
    assert dict(listed) == {pattern: 2 * count for pattern, count in before.items()}


def test_a_file_that_changed_is_looked_at_again(recipe: Recipe, tmp_path: Path) -> None:
    first = snapshot(recipe)
    assert corpus_fingerprint(recipe) == first.fingerprint
    path = tmp_path / "corpus" / "a.txt"
    path.write_bytes("Other text, in UTF-16.\n".encode("utf-16"))
    second = snapshot(recipe)
    assert second.fingerprint != first.fingerprint
    assert [file.content.encoding for file in second.listing.files] == ["utf-16", "utf-8", "utf-8"]
    assert second.checksums[str(path)] != first.checksums[str(path)]
