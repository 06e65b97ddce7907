"""The tutorial's commands: those that need no cluster run as written, in a folder with the table that it names."""

from __future__ import annotations

import csv
import random
import shlex
from pathlib import Path

import pytest
import typer

from lstmlm.cli.app import app
from tests.documented import commands, run

COMMANDS = commands((Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8"))
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
NOMBRES = ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]
CHEAP = ("init", "recipe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `pairs.csv`: numbers in words of two languages."""
    draw = random.Random(1)
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("en", "fr"))
        for _ in range(6000):
            row = [draw.randrange(10) for _ in range(draw.randrange(2, 7))]
            writer.writerow((" ".join(NUMBERS[n] for n in row), " ".join(NOMBRES[n] for n in row)))
    return tmp_path


def test_a_recipe_is_written_and_found_valid_as_the_tutorial_says(folder: Path, root: Path) -> None:
    assert len(COMMANDS) <= 6
    cheap = [command for command in COMMANDS if shlex.split(command)[1] in CHEAP]
    assert cheap == COMMANDS[:2]
    for command in cheap:
        done = run(command, folder, root, seconds=600)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert "task: translate" in (folder / "recipe.yaml").read_text(encoding="utf-8")
    assert "a valid recipe" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_options_that_it_is_given(command: str) -> None:
    _, name, *words = shlex.split(command)
    found = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known
