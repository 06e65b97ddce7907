"""`lstmlm init` recognises how a table is written, and its recipe reads it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from lstmlm.cli.app import run
from lstmlm.cli.init.form import form_of
from lstmlm.cli.init.look import look
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.sources.files import corpus_files
from lstmlm.recipe.file import load_recipe

SUBJECTS = ["Le garçon", "Une fenêtre", "Mon frère", "La forêt", "Cet été"]
VERBS = ["est très belle", "a été cassée", "reste là-bas", "sera prête à l'aube", "dort déjà"]
PAIRS = [(f"{a} {b}", f"number {n} of the sentences") for n, (a, b) in enumerate(itertools.product(SUBJECTS, VERBS))]
COLUMNS = ["column_1", "column_2"]


def write(path: Path, delimiter: str, *, header: bool, encoding: str = "utf-8") -> Path:
    rows = [("fr", "en")] * header + PAIRS
    path.write_bytes("".join(f"{a}{delimiter}{b}\n" for a, b in rows).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "delimiter", "header", "expected"),
    [
        ("a.csv", ",", True, {}),
        ("a.csv", ";", True, {}),
        ("a.tsv", "\t", True, {}),
        ("a.csv", ";", False, {"delimiter": ";", "columns": COLUMNS}),
        ("a.tsv", "\t", False, {"columns": COLUMNS}),
        ("a.tsv", ";", True, {"delimiter": ";"}),
        ("a.txt", "\t", False, {"delimiter": "\t", "columns": COLUMNS}),
        ("a.txt", ", ", False, {}),
    ],
)
def test_only_what_a_file_does_not_say_itself_is_named(
    tmp_path: Path, name: str, delimiter: str, header: bool, expected: dict[str, Any]
) -> None:
    assert form_of(write(tmp_path / name, delimiter, header=header)) == expected


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ";"), ("a.txt", "\t"), ("a.tsv", "\t")])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_recipe_reads_every_row(tmp_path: Path, name: str, delimiter: str, encoding: str) -> None:
    path = write(tmp_path / name, delimiter, header=False, encoding=encoding)
    words = ["init", str(path), "-o", str(tmp_path / "r.yaml"), "--task", "translate", "--yes"]
    assert run([*words, "--source", "column_1", "--target", "column_2"]) == 0
    recipe = load_recipe(tmp_path / "r.yaml")
    (file,) = corpus_files(recipe)
    rows = [row.fields for row in read_file(file, recipe.corpus, COLUMNS)]
    assert rows == [dict(zip(COLUMNS, pair, strict=True)) for pair in PAIRS]
    assert yaml.safe_load((tmp_path / "r.yaml").read_text(encoding="utf-8"))["corpus"]["columns"] == COLUMNS


def test_a_first_row_like_the_others_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("good,yes\nbad,no\nfine,yes\n", encoding="utf-8")
    assert look(tmp_path / "a.csv").rows == 3
