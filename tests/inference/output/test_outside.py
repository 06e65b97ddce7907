"""A format of another package: installed with an entry point, named in a recipe, written by the batch job."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lstmlm.errors import UserError
from lstmlm.inference.output.format import FORMATS
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe

MODULE = """
import csv
from lstmlm.inference.output.format import RowFormat

class Csv(RowFormat):
    extension = "facts"  # as files of the job itself

    def write(self, path, rows, columns):
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)

    def read(self, path):
        with path.open(encoding="utf-8", newline="") as stream:
            yield from csv.DictReader(stream)

class Later(Csv):
    version = "2"

class Half(RowFormat):
    extension = "half"
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with the formats `commas` and `half`."""
    site = tmp_path / "site"
    facts = site / "commas-1.dist-info"
    facts.mkdir(parents=True)
    (site / "commas.py").write_text(MODULE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: commas\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[lstmlm.outputs]\ncommas = commas:Csv\nhalf = commas:Half\n")
    monkeypatch.syspath_prepend(str(site))
    yield tmp_path
    sys.modules.pop("commas", None)


def asked(format: str) -> Recipe:
    inference = {"format": format, "shards": 2, "max_dead_fraction": 0.5}
    text = yaml.safe_dump({"name": "r", "task": "generate", "corpus": {"train": "a.txt"}, "inference": inference})
    return parse_recipe(text, "r.yaml")


def test_a_format_from_outside_is_written_by_the_job(installed: Path, shouter: Path) -> None:
    path = installed / "in.jsonl"
    rows = [{"text": "one, two"}, {"text": "a\u2028b", "note": "n"}, {"note": "no text"}, {"text": "three", "x": [1]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = infer(asked("commas"), shouter, installed / "out", Silent(), input=path)
    assert (manifest.facts["outputs"], manifest.facts["dead_letters"]) == (3, 1)
    files = sorted((installed / "out").glob("predictions-*"))
    assert [file.name for file in files] == [f"predictions-0000{n}-of-00002.facts" for n in (0, 1)]
    found = [row for file in files for row in csv.DictReader(file.open(newline="", encoding="utf-8"))]
    assert [row["source"] for row in found] == ["one, two", "a\u2028b", "three"]
    assert [row["note"] for row in found] == ["", "n", ""]
    assert {tuple(row) for row in found} == {("id", "source", "output", "note", "x")}


def test_its_version_is_part_of_the_fingerprint(installed: Path, shouter: Path) -> None:
    (installed / "in.txt").write_text("one\n")
    made = [
        infer(asked(name), shouter, installed / f"out-{name[-3:]}", Silent(), input=installed / "in.txt").fingerprint
        for name in ("commas", "commas:Csv", "commas:Later")
    ]
    assert len({*made}) == 3


def test_what_is_no_format_is_refused_with_the_recipe(installed: Path) -> None:
    assert {"commas", "half", "jsonl"} < {*FORMATS.names()}
    for name, message in [
        ("commaz", "no output named 'commaz'. Did you mean `commas`"),
        ("half", "'half' is not a whole output: .* Define what it lacks"),
        ("json:loads", "'json:loads' is not an output but function. Name a subclass of .*OutputFormat"),
    ]:
        with pytest.raises(UserError, match=rf"r\.yaml:\d+: inference\.format: {message}"):
            asked(name)
