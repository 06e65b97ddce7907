"""Options before any command: the version, and how results are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmlm import __version__
from lstmlm.cli.app import run
from tests.conftest import Lstmlm


def test_the_version_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capfd.readouterr().out == f"lstmlm {__version__}\n"


@pytest.mark.slow
def test_results_are_tables_or_one_object_or_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "docs.jsonl"
    assert run(["demo-corpus", "-o", str(corpus)]) == 0
    plain = capfd.readouterr()
    assert "corpus: done" in plain.err
    assert run(["--json", "demo-corpus", "-o", str(corpus)]) == 0
    shown = capfd.readouterr()
    assert (json.loads(shown.out), shown.err) == ({"lines": [plain.out.strip()]}, "")
    assert run(["--quiet", "demo-corpus", "-o", str(corpus)]) == 0
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_errors_are_shown_in_any_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["--quiet"], ["--json"]):
        assert run([*words, "recipe", "check", str(tmp_path / "absent.yaml")]) == 2
        assert "absent.yaml: cannot read the recipe" in capfd.readouterr().err
    assert run(["--quiet", "--json", "stages"]) == 2
    assert capfd.readouterr().err == "lstmlm: --quiet and --json exclude each other. Leave one of them out\n"


def test_a_shell_completes_commands(lstmlm: Lstmlm) -> None:
    asked = {"_LSTMLM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "lstmlm re"}
    found = lstmlm(env=asked)
    assert (found.returncode, "recipe" in found.stdout, "ingest" in found.stdout) == (0, True, False)
