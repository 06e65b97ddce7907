"""Ranges of files: together they are the file, whatever their size."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.passes.file_ranges import SplitFiles
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import read_file, read_range, split_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.runners.pipeline import WriteJson, read_json, run_pipeline

CORPUS = CorpusSection(train="*", max_line_bytes=20)


def file(folder: Path, name: str, data: bytes, compression: str = "", index: int = 0) -> CorpusFile:
    path = folder / name
    path.write_bytes(data)
    return CorpusFile(index, name, str(path), name.split(".")[1], compression, None, len(data))


def rows(ranges: list[FileRange], corpus: CorpusSection = CORPUS) -> list[Row]:
    return [row for file_range in ranges for row in read_range(file_range, corpus, [])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranges")


contents = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"a", b'{"text": "b"}', b"\t", b"\xef\xbb\xbf", b"\xff", b"\0", b"x" * 19]),
    max_size=30,
).map(b"".join)


@given(data=contents, size=st.integers(1, 50), ending=st.sampled_from(["txt", "jsonl", "tsv"]))
def test_rows_over_all_ranges_are_the_rows_of_the_file(folder: Path, data: bytes, size: int, ending: str) -> None:
    one = file(folder, f"a.{ending}", (b"h\n" if ending == "tsv" else b"") + data)
    ranges = split_file(one, CORPUS, size)
    assert rows(ranges) == list(read_file(one, CORPUS, []))
    assert [r.end for r in ranges[:-1]] == [r.start for r in ranges[1:]]
    assert (ranges[0].start, ranges[-1].end) == (0, one.size)
    assert all(r.start < r.end for r in ranges[1:])


def test_ranges_are_cut_after_line_ends_and_know_their_first_line(folder: Path) -> None:
    one = file(folder, "b.txt", b"aaa\nb\n\ncccccccc\nd")
    assert [(r.start, r.end, r.first_line) for r in split_file(one, CORPUS, 5)] == [
        (0, 6, 1), (6, 16, 3), (16, 17, 5),
    ]  # fmt: skip


def test_a_line_longer_than_a_range_is_whole(folder: Path) -> None:
    corpus = CORPUS.model_copy(update={"max_line_bytes": 10**6})
    one = file(folder, "c.txt", b"a\n" + b"x" * 1000 + b"\nb\n")
    ranges = split_file(one, corpus, 10)
    assert [(r.start, r.first_line) for r in ranges] == [(0, 1), (1003, 3)]
    assert [row.fields["text"] for row in rows(ranges, corpus) if row.fields] == ["a", "x" * 1000, "b"]


@pytest.mark.parametrize("name", ["d.csv", "d.txt.gz"])
def test_what_cannot_be_cut_is_one_range(folder: Path, name: str) -> None:
    one = file(folder, name, b"x\n" * 100, "gz" if name.endswith("gz") else "")
    assert split_file(one, CORPUS, 10) == [FileRange(one, 0, 200, 1)]


def test_paragraphs_are_not_cut(folder: Path) -> None:
    one = file(folder, "e.txt", b"a\nb\n\nc\n")
    corpus = CORPUS.model_copy(update={"unit": "paragraph"})
    assert split_file(one, corpus, 2) == [FileRange(one, 0, 7, 1)]


def test_an_empty_file_is_one_range(folder: Path) -> None:
    one = file(folder, "f.txt", b"")
    assert split_file(one, CORPUS, 10) == [FileRange(one, 0, 0, 1)]


def test_parquet_is_cut_by_row_groups(folder: Path) -> None:
    path = folder / "g.parquet"
    pq.write_table(pa.table({"text": [f"text {n}" for n in range(100)]}), path, row_group_size=30)
    one = CorpusFile(0, "g.parquet", str(path), "parquet", "", None, path.stat().st_size)
    ranges = split_file(one, CORPUS, 1)
    assert [(r.start, r.end, r.first_line) for r in ranges] == [(0, 1, 1), (1, 2, 31), (2, 3, 61), (3, 4, 91)]
    assert rows(ranges) == rows(split_file(one, CORPUS, 10**9))
    assert [row.line for row in rows(ranges)] == list(range(1, 101))


def test_the_transform_gives_the_ranges_of_every_file(folder: Path) -> None:
    files = [
        file(folder, "h.txt", b"".join(b"line %d\n" % n for n in range(500)), index=0),
        file(folder, "i.txt", b"", index=1),
        file(folder, "j.csv", b"text\n" * 50, index=2),
    ]

    def build(pipeline: beam.Pipeline) -> None:
        ranges = pipeline | beam.Create(files) | SplitFiles(CORPUS, 100)
        _ = ranges | beam.Map(lambda r: [r.file.index, r.start, r.end, r.first_line]) | WriteJson(folder / "ranges")

    run_pipeline(build)
    expected = [[r.file.index, r.start, r.end, r.first_line] for one in files for r in split_file(one, CORPUS, 100)]
    assert list(read_json(folder / "ranges")) == expected
    assert len(expected) > 30
