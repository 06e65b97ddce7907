from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import pytest

from lstmlm.cli.demo_corpus import paragraphs, write_demo_corpus
from lstmlm.errors import UserError


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A standard library of three small modules, in place of the real one."""
    folder = tmp_path / "library"
    files = {
        "b.py": '"""The first paragraph of the module b.\n\nThe first paragraph of\n  the module b.\n"""\n',
        "a/__init__.py": 'if True:\n  def f():\n    """Does one thing and does it well."""\n'
        'else:\n  def f():\n    """Does another thing just as well."""\n',
        "pydoc_data/topics.py": 'topics = {"z": "What the word z means here.", "y": "What the word y means here."}\n',
        "test/c.py": '"""A test is no documentation, so skip it."""\n',
        "broken.py": "def (:\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(folder))
    return folder


def test_each_paragraph_is_one_record_in_a_fixed_order(library: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "demo.jsonl"
    assert write_demo_corpus(output) == 5
    assert [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()] == [
        {"id": "a.f#0", "text": "Does one thing and does it well."},
        {"id": "a.f#1", "text": "Does another thing just as well."},
        {"id": "b#0", "text": "The first paragraph of the module b."},
        {"id": "pydoc_data.topics.y#0", "text": "What the word y means here."},
        {"id": "pydoc_data.topics.z#0", "text": "What the word z means here."},
    ]
    prompts = output.with_name("prompts.jsonl")
    assert json.loads(prompts.read_text(encoding="utf-8")) == {"id": "prompt-0", "text": "Does one thing"}
    assert sorted(output.parent.iterdir()) == [output, prompts]  # and nothing half-written


def test_an_identical_file_is_left_untouched(library: Path, tmp_path: Path) -> None:
    output = tmp_path / "demo.jsonl"
    write_demo_corpus(output)
    before = output.stat()
    write_demo_corpus(output)
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    output.write_text("old", encoding="utf-8")
    write_demo_corpus(output)
    assert len(output.read_text(encoding="utf-8").splitlines()) == 5


def test_an_installation_without_sources_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(UserError, match="standard library is not here"):
        write_demo_corpus(tmp_path / "demo.jsonl")


def test_headings_tables_and_fragments_are_left_out() -> None:
    text = (
        "Title\n=====\n\nA sentence of some words.\n\nx = 1; y = 2\n\n+----+------+ two words and a table\n\nToo short."
    )
    assert list(paragraphs(text)) == ["A sentence of some words."]


@pytest.mark.slow
def test_the_real_library_gives_megabytes_of_distinct_prose(tmp_path: Path) -> None:
    output = tmp_path / "demo.jsonl"
    count = write_demo_corpus(output)
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count > 5_000
    assert 1e6 < output.stat().st_size < 5e6
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == count
