"""`lstmlm init` finds what a corpus is for, and what it writes is a recipe that runs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lstmlm.cli.app import run
from lstmlm.cli.init.guess import guess
from lstmlm.cli.init.look import look
from lstmlm.cli.init.sizes import Machine, sizes
from lstmlm.recipe.file import load_recipe
from tests.cli.init.corpora import write
from tests.stage_runs import run_stages

SLOW_MACHINE, FAST_MACHINE = Machine(1, 1e9, False), Machine(16, 2e11, True)
FOUND = {
    "generate": ("generate", "text", None),
    "translate": ("translate", "en", "loud"),
    "summarize": ("summarize", "article", "headline"),
    "classify": ("classify", "review", "sentiment"),
    "many": ("classify", "text", "labels"),
    "tokens": ("classify", "text", "spans"),
    "answer": ("answer", "context", "answers"),
}


@pytest.mark.parametrize("kind", FOUND)
def test_the_task_and_the_columns_are_found(kind: str, tmp_path: Path) -> None:
    found = guess(look(write(tmp_path, kind)))
    assert (found.task, found.source, found.target) == FOUND[kind]
    assert found.label_kind == (kind if kind in ("many", "tokens") else "one")
    assert found.id == ("id" if kind == "summarize" else None)


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    seen = look(write(tmp_path, "translate"))
    assert (guess(seen, source="loud").source, guess(seen, source="loud").target) == ("loud", "en")
    assert guess(seen, "generate", "loud").source == "loud"
    assert guess(seen, "summarize").task == "summarize"


@pytest.mark.parametrize("kind", ["generate", "translate", "classify", "answer"])
def test_more_time_or_a_faster_machine_allows_no_fewer_steps(kind: str, tmp_path: Path) -> None:
    seen = look(write(tmp_path, kind, 3000))
    found = guess(seen)
    steps = [
        sizes(seen, found, minutes, machine)["training"]["steps"]
        for minutes, machine in [(4, SLOW_MACHINE), (60, SLOW_MACHINE), (60, FAST_MACHINE)]
    ]
    assert steps == sorted(steps)
    assert steps[0] < steps[-1]


def test_a_vocabulary_has_room_for_the_letters_of_a_small_corpus(tmp_path: Path) -> None:
    letters = "".join(chr(0x4E00 + n) for n in range(900))
    (tmp_path / "a.txt").write_text("\n".join(letters[n : n + 30] for n in range(0, 900, 30)), encoding="utf-8")
    seen = look(tmp_path / "a.txt")
    assert sizes(seen, guess(seen), 5, SLOW_MACHINE)["tokenizer"]["vocabulary"] > 260 + 900


def test_a_folder_s_splits_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("train.jsonl", "valid.jsonl", "notes.md"):
        (tmp_path / name).write_text('{"text": "a text of words"}\n', encoding="utf-8")
    seen = look(tmp_path)
    assert (seen.train, seen.valid, seen.rows) == ("train.jsonl", "valid.jsonl", 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["generate", "classify", pytest.param("answer", marks=pytest.mark.slow)])
def test_the_recipe_runs_from_the_corpus_to_the_evaluation(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, kind)
    assert run(["init", str(path), "-o", str(tmp_path / "r.yaml"), "--minutes", "3", "--yes"]) == 0
    assert f"next: lstmlm run {tmp_path / 'r.yaml'}" in capfd.readouterr().out
    assert run(["recipe", "check", str(tmp_path / "r.yaml")]) == 0
    few = ["steps=4", "warmup=1", "evaluate_every=2", "checkpoint_every=2", "evaluate_batches=2", "workers=1"]
    recipe = load_recipe(tmp_path / "r.yaml", [f"output={tmp_path}", *(f"training.{one}" for one in few)])
    run_stages(recipe, tmp_path / "stages")
    assert json.loads((tmp_path / "stages" / "evaluation" / "metrics.json").read_text())["metrics"]


def test_a_recipe_that_is_there_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["init", str(write(tmp_path, "generate")), "-o", str(tmp_path / "r.yaml"), "--yes"]
    (tmp_path / "r.yaml").write_text("mine", encoding="utf-8")
    assert run(words) == 2
    assert "there is a file already" in capfd.readouterr().err
    assert (tmp_path / "r.yaml").read_text(encoding="utf-8") == "mine"
    assert run([*words, "--force"]) == 0
    assert yaml.safe_load((tmp_path / "r.yaml").read_text(encoding="utf-8"))["task"] == "generate"


def test_it_asks_at_a_terminal(tmp_path: Path, root: Path) -> None:
    write(tmp_path, "translate")
    ours, theirs = pty.openpty()
    os.write(ours, b"\nloud\nen\n5\n")
    command = [sys.executable, "-m", "lstmlm", "init", "translate.jsonl", "-o", "r.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, stdin=theirs, cwd=tmp_path, env=environment, capture_output=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, b"Task (answer, classify" in done.stderr) == (0, True), done.stderr
    found = yaml.safe_load((tmp_path / "r.yaml").read_text(encoding="utf-8"))
    assert (found["corpus"]["source"], found["corpus"]["target"]) == ("loud", "en")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "absent: no such file or folder"),
        (["generate.jsonl", "--task", "sing"], "no task 'sing'"),
        (["generate.jsonl", "--source", "txt"], "no column 'txt' (there are 'text')"),
        (["generate.jsonl", "--task", "translate"], "no columns for the task translate"),
        (["empty.jsonl"], "no rows"),
        (["numbers.csv"], "no column of text"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "generate")
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert run(["init", *words, "--yes"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert message in line
    assert not Path("recipe.yaml").exists()
