"""Names that are no corpus files, and what this project wrote itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lstmlm.corpus.sources.files import CorpusListing, checksum, list_corpus
from lstmlm.corpus.sources.found import LeftOut
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.corpus.sources.listing import list_files
from lstmlm.corpus.sources.listing_notes import listing_notes
from lstmlm.corpus.sources.omitted import omission
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.publish.folder import publish
from tests.corpus.memory_store import MemoryStore
from tests.corpus.sources.test_files import fill, recipe

TABLE = [
    "t/part-0.snappy.parquet", "t/day=1/part-0.parquet", "t/_c0=2/part-0.parquet", "t/_SUCCESS", "t/_committed_12",
    "t/.part-0.snappy.parquet.crc", "t/_temporary/0/task/part-0.parquet", "t/_delta_log/0.json",
    "t/_spark_metadata/0", "t/.hive-staging_hive_1/-ext-10000/a.txt", "t/a.txt~", "t/#b.txt#", "t/c.jsonl.part",
    "t/d.tmp.parquet", "t/e.csv.crdownload", "t/.f.txt.swp", "t/g.txt.bak", "t/dataset_info.json",
]  # fmt: skip
READ = ["t/_c0=2/part-0.parquet", "t/day=1/part-0.parquet", "t/part-0.snappy.parquet"]
LEFT_OUT = {
    "t/_SUCCESS": "leftover", "t/_committed_12": "leftover", "t/.part-0.snappy.parquet.crc": "hidden",
    "t/_temporary": "leftover", "t/_delta_log": "leftover", "t/_spark_metadata": "leftover",
    "t/.hive-staging_hive_1": "hidden", "t/a.txt~": "temporary", "t/#b.txt#": "temporary",
    "t/c.jsonl.part": "temporary", "t/d.tmp.parquet": "temporary", "t/e.csv.crdownload": "temporary",
    "t/.f.txt.swp": "hidden", "t/g.txt.bak": "temporary", "t/dataset_info.json": "metadata",
}  # fmt: skip

ENDINGS = file_kinds().endings


def notes_on(listing: CorpusListing) -> list[str]:
    return listing_notes(listing, {file.path: checksum(file.path) for file in listing.files}, valid_named=False)


@pytest.fixture(params=["local", "remote"])
def table(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path | str:
    """A table with what its writers left, in a folder and in a store."""
    if request.param == "local":
        return fill(tmp_path, *TABLE)
    monkeypatch.setattr(MemoryStore, "OBJECTS", {f"mem://bucket/{name}": name.encode() for name in TABLE})
    return "mem://bucket"


def test_leftovers_and_temporary_files_are_left_out_and_named(table: Path | str) -> None:
    listing = list_files(table, "t", "corpus.train", ENDINGS)
    assert [file.name for file in listing.found] == READ
    assert {one.name: one.reason for one in listing.left_out} == LEFT_OUT


@pytest.mark.parametrize("pattern", ["t/**/*.parquet", "**/*.parquet"])
def test_globs_leave_them_out_too(table: Path | str, pattern: str) -> None:
    listing = list_files(table, pattern, "corpus.train", ENDINGS)
    assert [file.name for file in listing.found] == READ
    assert LeftOut("t/_temporary", "leftover") in listing.left_out


@pytest.mark.parametrize("pattern", ["t/_temporary", "t/_temp*/0/task/*", "t/_temporary/0/task/part-0.parquet"])
def test_what_is_asked_for_is_read(table: Path | str, pattern: str) -> None:
    found = list_files(table, pattern, "corpus.train", ENDINGS).found
    assert [file.name for file in found] == ["t/_temporary/0/task/part-0.parquet"]


@pytest.mark.parametrize("name", ["a_b.txt", "part-00000", "a.partial.txt", "tilde~a.txt", "temporary.txt", "a.#b.txt"])
def test_ordinary_names_stay(name: str) -> None:
    assert omission([name]) is None


def test_a_folder_without_a_corpus_file_names_the_endings_that_are_there(tmp_path: Path) -> None:
    fill(tmp_path, "d/a.doc", "d/b.doc", "d/_SUCCESS", "d/c")
    with pytest.raises(UserError, match=r"only \.doc: d/a\.doc, d/b\.doc; leftover: d/_SUCCESS; no ending: d/c\b"):
        list_files(tmp_path, "d", "corpus.train", ENDINGS)


def output(folder: Path, kind: str, *names: str) -> None:
    with publish(folder, kind, "stamp") as draft:
        fill(draft.path, *names)


@pytest.mark.parametrize("pattern", [".", "**/*.jsonl*", "*/*.jsonl.gz", "*.jsonl"])
def test_outputs_below_the_corpus_are_left_out(tmp_path: Path, pattern: str) -> None:
    fill(tmp_path, "a.jsonl", "more/b.jsonl.gz")
    output(tmp_path / "cleaned", "documents", "documents-0.jsonl.gz", "dead_letters.jsonl", "report.json")
    output(tmp_path / "deep/out", "predictions", "outputs.jsonl")
    (tmp_path / ".cleaned.partial-12-abcdef").mkdir()
    fill(tmp_path, ".cleaned.partial-12-abcdef/a.jsonl", ".cleaned.work/x.jsonl", "checkpoints/12/recipe.json")
    fill(tmp_path, "checkpoints/12/metrics.jsonl", "runs/me/metadata.sqlite", "runs/me/artifacts/x/a.jsonl")
    listing = list_files(tmp_path, pattern, "corpus.train", ENDINGS)
    assert {file.name for file in listing.found} <= {"a.jsonl", "more/b.jsonl.gz"}
    if pattern == ".":
        assert {one.name: one.reason for one in listing.left_out} == {
            "cleaned": "own_output", "deep/out": "own_output", "runs/me": "own_output", "checkpoints": "own_output",
            ".cleaned.work": "hidden",
        }  # fmt: skip


@pytest.mark.parametrize("pattern", ["cleaned", "cleaned/documents-*.jsonl.gz", "*/documents-*", "cleaned/*.jsonl*"])
def test_cleaned_documents_are_a_corpus_where_they_are_named(tmp_path: Path, pattern: str) -> None:
    names = ["documents-0.jsonl.gz", "dead_letters.jsonl", "report.json", "exclusions.jsonl.gz"]
    output(tmp_path / "cleaned", "documents", *names)
    found = list_files(tmp_path, pattern, "corpus.train", ENDINGS).found
    assert [file.name for file in found] == ["cleaned/documents-0.jsonl.gz"]


def test_a_manifest_of_others_hides_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "d/a.jsonl")
    (tmp_path / "d/manifest.json").write_text(json.dumps({"files": []}))
    assert [file.name for file in list_files(tmp_path, ".", "corpus.train", ENDINGS).found] == ["d/a.jsonl"]


def test_a_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    fill(tmp_path, "b.jsonl", "c.jsonl")
    os.link(tmp_path / "b.jsonl", tmp_path / "z.jsonl")
    (tmp_path / "a.jsonl").symlink_to("b.jsonl")
    listing = list_corpus(recipe(tmp_path, train="."))
    assert [file.name for file in listing.files] == ["b.jsonl", "c.jsonl"]
    assert [(one.name, one.reason, one.detail) for one in listing.left_out] == [
        ("a.jsonl", "same_file", "b.jsonl"), ("z.jsonl", "same_file", "b.jsonl"),
    ]  # fmt: skip
    (note,) = notes_on(listing)
    assert "a.jsonl is the same file as b.jsonl" in note


def test_a_file_cannot_be_train_and_valid_under_two_names(tmp_path: Path) -> None:
    fill(tmp_path, "a.jsonl")
    os.link(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    with pytest.raises(UserError, match=r"named by corpus\.train and by corpus\.valid"):
        list_corpus(recipe(tmp_path, train="a.jsonl", valid="b.jsonl"))


def test_files_with_the_same_content_are_reported(tmp_path: Path) -> None:
    for name, text in {"a.txt": "same", "b.txt": "same", "c.txt": "else", "d.txt": "", "e.txt": ""}.items():
        (tmp_path / name).write_text(text)
    listing = list_corpus(recipe(tmp_path, train="."))
    assert len(listing.files) == 5
    (note,) = notes_on(listing)
    assert "the same content in 2 files" in note
    assert "a.txt, b.txt" in note


def test_what_is_left_out_is_reported_with_counts_and_endings(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "b.doc", "c.doc", "test.txt", "dev.txt")
    notes = notes_on(list_corpus(recipe(tmp_path, train=".")))
    assert any("test.txt" in note and "test_split" in note for note in notes)
    assert any("2 files" in note and "2 .doc" in note and "b.doc, c.doc" in note for note in notes)
    assert any("the valid split, as the names say: dev.txt" in note for note in notes)


DOCUMENT = '{\n  "splits": {\n    "train": 1\n  }\n}\n'


def test_a_json_document_among_rows_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "facts.json").write_text(DOCUMENT)
    listing = list_corpus(recipe(tmp_path, train="."))
    assert [file.name for file in listing.files] == ["a.jsonl"]
    assert listing.left_out == [LeftOut("facts.json", "json_document")]
    for pattern in ("facts.json", "f*.json"):
        with pytest.raises(UserError, match="one JSON document"):
            list_corpus(recipe(tmp_path, train=pattern))


def test_without_a_held_out_split_valid_files_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "train.jsonl", "dev.jsonl")
    listing = list_corpus(recipe(tmp_path, train="."), held_out=False)
    assert [(file.name, file.split) for file in listing.files] == [("train.jsonl", None)]
    assert listing.left_out == [LeftOut("dev.jsonl", "valid_split")]
    before = corpus_fingerprint(recipe(tmp_path, train="."))
    assert before != corpus_fingerprint(recipe(tmp_path, train="."), held_out=False)
