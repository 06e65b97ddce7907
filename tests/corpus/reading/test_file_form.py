"""Files that do not say how they are written are read as the recipe says, and advised on where it does not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import read_range, split_file
from lstmlm.corpus.sources.files import named_files
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import CorpusSection

PAIRS = [("Où ?", "where"), ("Façade", "front"), ("été", "summer")]


def rows(folder: Path, name: str, content: bytes, needed: tuple[str, ...] = ("fr", "en"), **form: Any) -> list[Any]:
    """Returns the fields of the rows of a file, or why a row is dead."""
    (folder / name).write_bytes(content)
    corpus = CorpusSection(root=folder, train=name, **form)
    (file,) = named_files(corpus, name, "corpus.train")
    parts: list[FileRange] = split_file(file, corpus, 16)
    return [row.fields or row.dead for part in parts for row in read_range(part, corpus, needed)]


def table(delimiter: str, *, header: bool) -> str:
    lines = [("fr", "en")] * header + PAIRS
    return "".join(f"{a}{delimiter}{b}\n" for a, b in lines)


EXPECTED = [{"fr": a, "en": b} for a, b in PAIRS]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_every_way_to_write_a_table_gives_the_same_rows(
    tmp_path: Path, encoding: str, delimiter: str, header: bool, name: str
) -> None:
    form = {"delimiter": delimiter, "encoding": "latin-1", "columns": () if header else ("fr", "en")}
    assert rows(tmp_path, name, table(delimiter, header=header).encode(encoding), **form) == EXPECTED


def test_the_separator_of_a_csv_file_without_a_header_follows_from_the_columns(tmp_path: Path) -> None:
    content = table(";", header=False).replace("where", '"where; when"').encode()
    assert rows(tmp_path, "a.csv", content, columns=("fr", "en"))[0] == {"fr": "Où ?", "en": "where; when"}


def test_a_compressed_file_is_read_so_too(tmp_path: Path) -> None:
    content = gzip.compress(table(";", header=False).encode("latin-1"))
    form = {"delimiter": ";", "encoding": "latin-1", "columns": ("fr", "en")}
    assert rows(tmp_path, "a.csv.gz", content, **form) == EXPECTED


def test_text_that_is_utf_8_stays_so_and_a_wide_row_is_dead(tmp_path: Path) -> None:
    content = "Où;where\na;b;c\n".encode()
    found = rows(tmp_path, "a.csv", content, columns=("fr", "en"), encoding="latin-1", delimiter=";")
    assert found[0] == {"fr": "Où", "en": "where"}
    assert "wrong number of columns: 3" in found[1]


@pytest.mark.parametrize(
    ("name", "content", "form", "advice"),
    [
        ("a.tsv", "fr;en\na;b\n", {}, "It looks separated by ';': set corpus.delimiter"),
        ("a.tsv", "Où ?\twhere\nb\tc\n", {}, "set corpus.columns (of the batch job's input inference.columns) to"),
        ("a.csv", "Où ?,where\nb,c\n", {}, "It looks like a row, not a header: set corpus.columns"),
        ("a.csv", "fr,en\na,b\n", {"columns": ("fr", "en")}, "Leave out `columns`, or remove the line"),
        ("a.tsv", "fr\ten\na\tb\n", {"columns": ("fr", "en")}, "Leave out `columns`, or remove the line"),
        ("a.csv", "a,b\n", {"columns": ("x", "y")}, "no column 'fr' (there are 'x', 'y')"),
    ],
)
def test_the_error_line_says_which_option_helps(
    tmp_path: Path, name: str, content: str, form: dict[str, Any], advice: str
) -> None:
    with pytest.raises(UserError) as error:
        rows(tmp_path, name, content.encode(), **form)
    assert advice in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_refused_encoding_names_the_option(tmp_path: Path) -> None:
    content = "Le théâtre où l'été s'achève déjà;b\n".encode("cp1252") * 20
    with pytest.raises(UserError, match=r"not UTF-8; it looks like \S+\. Set corpus\.encoding: \S+ "):
        rows(tmp_path, "a.csv", content)


@pytest.mark.parametrize(
    "form",
    [
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"delimiter": ""},
        {"encoding": "latin-99"},
        {"encoding": "rot13"},
        {"encoding": "unicode_escape"},
        {"columns": ("a", "a")},
        {"columns": ("a", " ")},
    ],
)
def test_options_that_make_no_sense_are_refused(form: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CorpusSection(train="a.csv", **form)
