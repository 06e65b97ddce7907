"""The README's commands run as written; the long ones are checked to be real without being run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lstmlm.cli.app import app
from lstmlm.cli.demo_corpus import write_demo_corpus
from tests.documented import commands, run

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = commands(README)
CHEAP = ("recipe", "demo-corpus")
"""The rest imports TensorFlow or trains: minutes. Their stages have tests of their own, and `make demo` runs them."""

pytestmark = pytest.mark.slow


def _is_cheap(command: str) -> bool:
    return command.startswith("lstmlm ") and shlex.split(command)[1] in CHEAP


def test_the_readme_starts_with_demo_and_test() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the corpus of the demo, which its recipe names."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo_corpus(folder / "build/demo/python_docs.jsonl")
    return folder


@pytest.mark.parametrize("command", filter(_is_cheap, COMMANDS))
def test_a_cheap_command_runs(command: str, root: Path, tmp_path: Path, demo_folder: Path) -> None:
    (tmp_path / "pipelines").symlink_to(root / "pipelines")
    if "demo-corpus" not in command:
        (tmp_path / "build").symlink_to(demo_folder / "build")
    done = run(command, tmp_path, root)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_a_make_command_is_a_target(command: str, root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(command.split()[1])}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("lstmlm ") and not _is_cheap(c)])
def test_a_long_command_has_the_options_it_is_given(command: str, root: Path) -> None:
    words = shlex.split(command)[1:]
    functions = {info.name or info.callback.__name__: info for info in app.registered_commands if info.callback}
    assert words[0] in functions
    options = {word for word in words if word.startswith("-")}
    help_text = subprocess.run(
        [sys.executable, "-m", "lstmlm", words[0], "--help"],
        cwd=root,
        env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert [option for option in options if option not in help_text] == []
    assert (root / words[1]).is_file()


def test_every_other_command_is_looked_at() -> None:
    assert [command for command in COMMANDS if not command.startswith(("make ", "lstmlm "))] == []


def test_the_links_of_the_readme_lead_somewhere(root: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if not (root / target).exists()] == []
