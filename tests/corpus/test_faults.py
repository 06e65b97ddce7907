"""Ingest when things break: kills, full disks, damaged and bad input; every fault is a real one."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def recipe(root: Path, **corpus: Any) -> Recipe:
    return Recipe.model_validate({"name": "test", "task": "generate", "corpus": {"root": root, **corpus}})


def test_kill_at_any_write_and_a_rerun_give_the_bytes_of_an_undisturbed_run(tmp_path: Path) -> None:
    draw = random.Random(1)
    words = [f"word{n}" for n in range(300)]
    lines = [" ".join(draw.choices(words, k=12)) for _ in range(900)]
    (tmp_path / "a.txt").write_text("\n".join(lines + lines[:30]) + "\n")
    (tmp_path / "b.txt").write_text("\n".join(lines[30:60] + ["one@example.org wrote"] * 3))
    (tmp_path / "recipe.yaml").write_text(
        f"name: kill\ntask: generate\ncorpus:\n  root: {tmp_path}\n  train: '*.txt'\n  shuffle: true\n"
        "  exclusions: true\n  normalise: true\n  duplicates: {exact: true, near: 0.8}\n  privacy: {kinds: [email]}\n"
    )
    command = [sys.executable, str(ROOT / "tests/corpus/kill_points.py"), str(tmp_path / "recipe.yaml"), str(tmp_path)]
    done = subprocess.run(
        [*command, "16"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=300,
    )
    points = [line for line in done.stdout.splitlines() if line.startswith("point")]
    assert len(points) == 16, done.stderr[-2000:]
    assert all(line.endswith("same") for line in points), done.stdout
    assert not [path for path in tmp_path.iterdir() if ".partial-" in path.name and path.is_file()]


def test_full_disk_is_reported_in_one_line_and_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"a line of text, number {n}\n" for n in range(60_000)))
    with pytest.raises(UserError, match="no space left on the disk") as caught:
        ingest(recipe(tmp_path, train="a.txt"), small_disk / "out", Silent())
    assert caught.value.where == str(small_disk / "out")
    assert list(small_disk.iterdir()) == []


@pytest.fixture
def hundred_files(tmp_path: Path) -> Path:
    """A hundred gzip files of a hundred lines; number 50 is cut in the middle."""
    draw = random.Random(2)
    for number in range(100):
        lines = "".join(f"file {number} line {line} {draw.random()}\n" for line in range(100))
        data = gzip.compress(lines.encode())
        (tmp_path / f"{number:03d}.txt.gz").write_bytes(data[: len(data) // 2] if number == 50 else data)
    return tmp_path


@pytest.mark.parametrize("damaged", ["keep", "dead"])
def test_cut_gzip_among_a_hundred_files_harms_no_other(hundred_files: Path, tmp_path: Path, damaged: str) -> None:
    run = recipe(hundred_files, train="*.txt.gz", damaged=damaged)
    counts = ingest(run, tmp_path / "out", Silent()).facts["counts"]
    texts = [record.source for split in ("train", "valid") for record in records_in(tmp_path / "out", split)]
    whole = [text for text in texts if not text.startswith("file 50 ")]
    assert len(whole) == 9900
    kept = len(texts) - 9900
    assert (0 < kept < 100) if damaged == "keep" else kept == 0
    assert counts["dead"] == 1
    letter = json.loads((tmp_path / "out/dead_letters.jsonl").read_text())
    assert letter["file"] == "050.txt.gz"
    assert "ends early" in letter["reason"]


def test_one_bad_record_in_ten_thousand_is_a_dead_letter(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"good {n}"}) for n in range(10_000)]
    lines[4321] = '{"text": '
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    counts = ingest(recipe(tmp_path, train="a.jsonl"), tmp_path / "out", Silent()).facts["counts"]
    assert (counts["in"], counts["kept"], counts["dead"]) == (10_000, 9_999, 1)
    assert json.loads((tmp_path / "out/dead_letters.jsonl").read_text())["line"] == 4322


def test_only_bad_records_fail_the_job(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n" * 500)
    with pytest.raises(UserError, match="500 of 500 lines are malformed"):
        ingest(recipe(tmp_path, train="a.jsonl", max_dead_fraction=0.99), tmp_path / "out", Silent())
    assert not (tmp_path / "out").exists()


def test_rules_that_drop_everything_fail_the_job(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("too short\n" * 50)
    with pytest.raises(UserError, match="the corpus is empty after cleaning: all 50 rows were dropped"):
        ingest(recipe(tmp_path, train="a.txt", quality=["gopher"]), tmp_path / "out", Silent())
