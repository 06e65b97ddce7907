"""`failure.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.cli.failures.report import LAST_LINES, LONGEST_LINE, failure_reported, last_lines
from lstmlm.errors import TryAgain


def report_of(folder: Path, error: Exception) -> dict[str, Any]:
    path, log = folder / "failure.json", folder / "run.log"
    with pytest.raises(type(error)), failure_reported(path, log, lambda: "train"):
        log.write_text("one\ntwo\n", encoding="utf-8")
        raise error
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_a_fault_is_reported_with_its_parts(tmp_path: Path) -> None:
    found = report_of(tmp_path, TryAgain("Ray did not start", where="training", hint="Wait"))
    found.pop("time")
    assert found == {
        "stage": "train",
        "cause": "Ray did not start",
        "where": "training",
        "exit_code": 75,
        "what_to_do": "Wait",
        "log": str(tmp_path / "run.log"),
        "last_lines": ["one", "two"],
    }


def test_an_unforeseen_error_points_to_its_log(tmp_path: Path) -> None:
    found = report_of(tmp_path, ValueError("first line\nsecond"))
    assert (found["cause"], found["exit_code"]) == ("ValueError: first line", 1)
    assert found["what_to_do"] == "Read the log; it has the traceback"


def test_the_next_start_removes_the_report(tmp_path: Path) -> None:
    report_of(tmp_path, ValueError("x"))
    with failure_reported(tmp_path / "failure.json", tmp_path / "run.log", str):
        pass
    assert not (tmp_path / "failure.json").exists()


def test_an_interruption_is_no_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), failure_reported(tmp_path / "failure.json", tmp_path / "run.log", str):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(50_000)) + "x" * 2 * LONGEST_LINE, encoding="utf-8")
    lines = last_lines(log)
    assert (len(lines), lines[-2], lines[-1]) == (LAST_LINES, "line 49999", "x" * LONGEST_LINE)
    assert last_lines(tmp_path / "absent") == []
