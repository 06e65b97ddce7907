"""A reader of another package: installed with an entry point, named in a recipe, for a corpus and for the batch job."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lstmlm.cli.streams import input_file
from lstmlm.corpus.ingest import clean
from lstmlm.corpus.reading.readers import READERS, read_range, split_file
from lstmlm.corpus.sources.files import list_corpus
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.inference.input.inputs import named
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe

MODULE = """
import struct
from lstmlm.corpus.reading.openers import open_bytes, read_bytes
from lstmlm.corpus.reading.ranges import Beginning
from lstmlm.corpus.reading.readers import Reader
from lstmlm.corpus.reading.rows import Row

class Boxes(Reader):
    '''After a sign, records of a size (two bytes) and as many bytes of text.'''

    endings = (".boxes", ".boxes.bin")
    magic = b"BOXES"

    def beginnings(self, segment, range_bytes):
        found, last = [], -range_bytes
        for start, _ in self._records(segment.file.path, 5, segment.file.size):
            if start - last >= range_bytes:
                found.append([start, 0])
                last = start
            found[-1][1] += 1
        return [Beginning(start, lines, segment.file.size) for start, lines in found]

    def rows(self, file_range, corpus, needed, *, others=False):
        found = self._records(file_range.file.path, file_range.start, file_range.end)
        for number, (_, data) in enumerate(found, start=file_range.first_line):
            yield Row(number, len(data), {"text": data.decode(), "size": len(data)})

    def _records(self, path, start, end):
        with open_bytes(path) as stream:
            stream.seek(start)
            while start < end:
                (size,) = struct.unpack("<H", stream.read(2))
                yield start, stream.read(size)
                start += 2 + size

class Later(Boxes):
    version = "2"

class Better(Boxes):
    endings = (".csv",)

    def beginnings(self, segment, range_bytes):
        return [Beginning(0, 1, segment.file.size)]

    def rows(self, file_range, corpus, needed, *, others=False):
        yield Row(1, 1, {"text": "another reader"})
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with the readers `boxes` and `better`."""
    site = tmp_path / "site"
    facts = site / "boxing-1.dist-info"
    facts.mkdir(parents=True)
    (site / "boxing.py").write_text(MODULE)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: boxing\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[lstmlm.readers]\nboxes = boxing:Boxes\nbetter = boxing:Better\n")
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("boxing", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of boxes, a text and a table."""
    root = tmp_path / "corpus"
    root.mkdir()
    texts = [f"box {n} {'x' * n}".encode() for n in range(30)]
    packed = b"".join(len(text).to_bytes(2, "little") + text for text in texts)
    (root / "a.boxes").write_bytes(b"BOXES" + packed)
    (root / "b.txt").write_text("a line\n")
    (root / "c.csv").write_text("text\na row\n")
    return root


def recipe(folder: Path, train: str, *readers: str) -> Recipe:
    corpus = {"root": str(folder), "train": train, "readers": list(readers), "valid_fraction": 0.0}
    return parse_recipe(yaml.safe_dump({"name": "r", "task": "generate", "corpus": corpus}), "r.yaml")


def test_a_corpus_is_read_by_it_in_ranges(folder: Path, tmp_path: Path) -> None:
    asked = recipe(folder, ".", "boxes")
    assert [file.reader for file in list_corpus(asked).files] == ["boxes", "txt", "csv"]
    ranges = split_file(list_corpus(asked).files[0], asked.corpus, 100)
    assert len(ranges) > 3
    lines = [row.line for one in ranges for row in read_range(one, asked.corpus, [])]
    assert lines == list(range(1, 31))
    clean(asked, tmp_path / "out", Silent())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["counts"]["kept"] == 32


def test_without_it_the_files_are_left_out(folder: Path) -> None:
    listing = list_corpus(recipe(folder, "."))
    assert [file.name for file in listing.files] == ["b.txt", "c.csv"]
    assert [(one.name, one.reason) for one in listing.left_out] == [("a.boxes", "unknown_ending")]
    with pytest.raises(UserError, match=r"ends in \.csv, \.jsonl, \.tsv or \.txt, which may be compressed, or in"):
        list_corpus(recipe(folder, "a.boxes"))


def test_the_batch_job_reads_it_too(folder: Path) -> None:
    found = list(named(folder / "a.boxes", recipe(folder, "b.txt", "boxes")).items())
    assert [one.fields["source"][:6] for one in found[:2]] == ["box 0 ", "box 1 "]
    assert (found[3].id, found[3].extra) == ("a.boxes:4", {"size": 9})


def test_a_pipe_is_recognised_by_its_sign(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=((folder / "a.boxes").read_bytes(),))
    writer.start()
    with input_file(pipe, "text", recipe(folder, "b.txt", "boxes").corpus) as path:
        assert path is not None
        assert path.suffix == ".boxes"
    writer.join()


def test_a_file_of_it_with_another_ending_is_named(folder: Path) -> None:
    (folder / "a.boxes").rename(folder / "a.txt")
    with pytest.raises(UserError, match=r"is a boxes file, not text\. Give it the ending \.boxes"):
        list_corpus(recipe(folder, "a.txt", "boxes"))


def test_a_reader_that_a_recipe_names_goes_before_this_packages(folder: Path) -> None:
    assert [file.reader for file in list_corpus(recipe(folder, "c.csv", "better")).files] == ["better"]
    assert file_kinds().reader_of("c.csv") == ("csv", "")


def test_versions_are_part_of_the_fingerprint_and_a_corpus_without_keeps_its_own(folder: Path) -> None:
    found = [
        corpus_fingerprint(recipe(folder, "b.txt", *readers)) for readers in ((), ("boxing:Boxes",), ("boxing:Later",))
    ]
    assert len({*found}) == 3
    assert "readers" not in recipe(folder, "b.txt").model_dump()["corpus"]
    assert Recipe.model_validate(recipe(folder, "b.txt", "boxes").model_dump()).corpus.readers == ("boxes",)


def test_what_is_no_reader_is_refused_with_the_recipe(folder: Path) -> None:
    assert {"boxes", "txt"} < {*READERS.names()}
    for name, message in [
        ("boxez", "no reader named 'boxez'. Did you mean `boxes`"),
        ("json:loads", "'json:loads' is not a reader but function. Name a subclass of .*Reader"),
    ]:
        with pytest.raises(UserError, match=rf"r\.yaml:\d+: corpus\.readers\.0: {message}"):
            recipe(folder, ".", name)
