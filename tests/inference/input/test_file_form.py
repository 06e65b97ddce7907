"""The batch job's input is read as `inference` says it is written, whatever the corpus is like."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from lstmlm.cli.streams import input_file
from lstmlm.inference.input.inputs import Files, input_form
from lstmlm.inference.input.requests import Request
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe

RECIPE = """
name: form
task: translate
corpus: {train: pairs.tsv, source: en, target: fr, delimiter: "|", columns: [a, b, c]}
inference: {field: fr, delimiter: ";", encoding: latin-1, columns: [nr, fr]}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return parse_recipe(RECIPE, "form", [f"corpus.root={tmp_path}"])


def texts(files: Files) -> list[str]:
    return [item.fields["source"] for item in files.items() if isinstance(item, Request)]


@pytest.mark.parametrize("name", ["in.csv", "in.txt"])
def test_a_table_in_an_older_encoding_without_a_header(recipe: Recipe, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("1;Où ?\n2;été\n".encode("latin-1"))
    files = Files(tmp_path, name, recipe)
    assert texts(files) == ["Où ?", "été"]
    assert [item.extra for item in files.items() if isinstance(item, Request)] == [{"nr": "1"}, {"nr": "2"}]


def test_how_it_is_read_decides_the_job(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"1;a\n")
    other = recipe.inference.model_copy(update={"columns": ("fr", "nr")})
    first, second = (Files(tmp_path, "in.csv", recipe.model_copy(update={"inference": one})) for one in
                     (recipe.inference, other))  # fmt: skip
    assert first.stamp() != second.stamp()
    assert (texts(first), texts(second)) == (["a"], ["1"])


def test_standard_input_is_read_so_too(recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "piped").write_bytes("1;Où ?\n".encode("latin-1"))
    with (tmp_path / "piped").open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        with input_file(Path("-"), "fr", input_form(recipe)) as path:
            assert path is not None
            assert texts(Files(path.parent, path.name, recipe, exact=True)) == ["Où ?"]
