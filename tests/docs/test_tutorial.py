"""The tutorial from its first command to its last, as it is written, in a folder with two tables."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from tests.documented import commands, run

COMMANDS = commands((Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8"))
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
NOMBRES = ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]


def tables(folder: Path) -> None:
    """Writes `pairs.csv`, `new.csv` and `new.txt`: numbers in words, which a small model learns in minutes."""
    draw = random.Random(1)
    rows = [[draw.randrange(10) for _ in range(draw.randrange(2, 7))] for _ in range(6000)]
    pairs = [(" ".join(NUMBERS[n] for n in row), " ".join(NOMBRES[n] for n in row)) for row in rows]
    for name, columns, chosen in (("pairs.csv", ("en", "fr"), pairs[:5900]), ("new.csv", ("en",), pairs[5900:])):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(pair[: len(columns)] for pair in chosen)
    (folder / "new.txt").write_text("three four\nnine one two\n", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.tfx
def test_the_tutorial_leads_from_a_table_to_a_translated_file(tmp_path: Path, root: Path) -> None:
    tables(tmp_path)
    assert len(COMMANDS) <= 6
    for command in COMMANDS:
        done = run(command, tmp_path, root, seconds=1400)
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    files = sorted((tmp_path / "translated").glob("predictions-*.jsonl"))
    found = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(found) == 100
    right = [one["output"] == " ".join(NOMBRES[NUMBERS.index(word)] for word in one["source"].split()) for one in found]
    assert sum(right) > 50
    assert len(done.stdout.splitlines()) == 2  # `lstmlm try` answers each line of its input
