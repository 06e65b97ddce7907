"""Files whose name, encoding or container is not what it seems: read, or refused by the name of what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.corpus.reading.content import SAMPLE_BYTES
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.reading.transcode import array_lines
from lstmlm.corpus.sources.files import corpus_file
from lstmlm.corpus.sources.listing import Found
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import CorpusSection

SENTENCES = ["One sentence here.", "Über Flüsse, Straßen und Äcker.", "Река течёт.", "我们在河边走。", "नमस्ते दुनिया।"]
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def texts(folder: Path, name: str, data: bytes, **settings: Any) -> list[str | None]:
    path = folder / name
    path.write_bytes(data)
    corpus = CorpusSection.model_validate({"train": name, **settings})
    rows = read_file(corpus_file(Found(name, str(path), len(data))), corpus, ("text",))
    return [row.fields["text"] if row.fields else row.dead for row in rows if not row.dropped]


def refused(folder: Path, name: str, data: bytes) -> UserError:
    with pytest.raises(UserError) as caught:
        texts(folder, name, data)
    assert caught.value.where == str(folder / name)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_are_found_with_and_without_a_byte_order_mark(tmp_path: Path, encoding: str, end: str) -> None:
    text = end.join(SENTENCES * 20) + end
    assert texts(tmp_path, "a.txt", text.encode(encoding)) == SENTENCES * 20
    rows = end.join(json.dumps({"text": one}, ensure_ascii=False) for one in SENTENCES)
    assert texts(tmp_path, "a.jsonl", rows.encode(encoding)) == SENTENCES
    assert texts(tmp_path, "b.txt.gz", gzip.compress(text.encode(encoding))) == SENTENCES * 20
    table = end.join(["text", *(f'"{one}"' for one in SENTENCES)])
    assert texts(tmp_path, "a.csv", table.encode(encoding)) == SENTENCES


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "Garçon, où est l'hôtel près de l'église ?"),
        ("cp1252", "“Smart quotes” – and a café, naïve résumés"),
        ("cp1251", "Река течёт через старый город и уходит в море"),
        ("gb18030", "我们沿着河边走，看见一座古老的石桥。"),
        ("shift-jis", "川のほとりを歩いて、古い石橋を見ました。"),
        ("euc-kr", "우리는 강가를 걸으며 오래된 돌다리를 보았다."),
        ("big5", "我們沿著河邊走，看見一座古老的石橋。"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
def test_older_encodings_are_refused_with_the_way_to_convert(
    tmp_path: Path, name: str, encoding: str, text: str
) -> None:
    lines = {"a.txt": text, "a.jsonl": f'{{"text": "{text}"}}', "a.csv": f'"{text}"'}
    data = "\n".join(["text"] * (name == "a.csv") + [lines[name]] * 40).encode(encoding)
    error = refused(tmp_path, name, data)
    assert "not UTF-8" in error.what
    assert "iconv" in error.hint


def test_one_broken_character_is_one_dead_letter(tmp_path: Path) -> None:
    lines = [one.encode() for one in SENTENCES * 10]
    lines[7] = b"caf\xe9 and \xff"
    found = texts(tmp_path, "a.txt", b"\n".join(lines))
    assert found[7] == "invalid UTF-8: byte 4"
    assert found[:7] + found[8:] == (SENTENCES * 10)[:7] + (SENTENCES * 10)[8:]


def test_an_older_encoding_in_the_middle_of_a_large_file_is_found(tmp_path: Path) -> None:
    ascii_part, latin = b"plain ascii line\n" * 20_000, "déjà vu à la fenêtre\n".encode("latin-1") * 20_000
    assert "not UTF-8" in refused(tmp_path, "a.txt", ascii_part + latin).what


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.zst", "a.txt.bz2", "a.txt.xz"])
def test_compression_is_found_by_content(tmp_path: Path, kind: str, name: str) -> None:
    assert texts(tmp_path, name, COMPRESS[kind]("\n".join(SENTENCES).encode())) == SENTENCES


def test_plain_text_under_the_name_of_a_compressed_file_is_read(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.txt.gz", "\n".join(SENTENCES).encode()) == SENTENCES


def test_a_zstd_file_with_a_long_window_is_read_whole(tmp_path: Path) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=settings).compressobj()  # the size is not in the header
    data = stream.compress("\n".join(SENTENCES * 1000).encode()) + stream.flush()
    assert texts(tmp_path, "a.txt.zst", data) == SENTENCES * 1000


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text")
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (_zip(), "zip archive"),
        (_tar(), "tar archive"),
        (gzip.compress(_tar(), mtime=0), "tar archive"),
        (gzip.compress(gzip.compress(b"text", mtime=0), mtime=0), "gzip within another compression"),
        (b"PAR1" + bytes(100), "parquet"),
        (b"%PDF-1.7 text", "PDF"),
        (b"SQLite format 3\0" + bytes(100), "SQLite"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"\x80\x04\x95" + bytes(20), "pickle"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.tsv"])
def test_other_files_are_refused_by_what_they_are(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    error = refused(tmp_path, name, data)
    assert what in error.what or "not UTF-8" in error.what


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.json.gz", "a.ndjson"])
def test_a_json_array_gives_its_elements(tmp_path: Path, name: str, indent: int | None) -> None:
    data = json.dumps([{"text": one, "more": [{"a": "]},"}]} for one in SENTENCES], indent=indent).encode()
    assert texts(tmp_path, name, gzip.compress(data) if name.endswith(".gz") else data) == SENTENCES


def test_a_cut_json_array_keeps_what_is_whole_and_names_the_rest(tmp_path: Path) -> None:
    data = json.dumps([{"text": one} for one in SENTENCES], ensure_ascii=False).encode()
    assert texts(tmp_path, "a.jsonl", data[:-10]) == [*SENTENCES[:-1], "the JSON array ends early"]


def test_an_element_over_the_limit_is_one_dead_letter(tmp_path: Path) -> None:
    data = json.dumps([{"text": "a"}, {"text": "b" * 300_000}, {"text": "c"}]).encode()
    found = texts(tmp_path, "a.jsonl", data, max_line_bytes=1000)
    assert found == ["a", "longer than 1000 bytes", "c"]


@given(
    values=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3), max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    size=st.integers(1, 40),
)
def test_elements_are_found_however_the_array_is_cut(values: list[Any], indent: int | None, size: int) -> None:
    data = json.dumps(values, indent=indent).encode()
    lines = list(array_lines((data[place : place + size] for place in range(0, len(data), size)), 10_000))
    assert [json.loads(line.data) for line in lines] == values
    assert not any(line.problem for line in lines)
    assert [line.number for line in lines] == list(range(1, len(values) + 1))


def test_one_document_over_several_lines_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "a.json", json.dumps({"data": [{"text": "a"}]}, indent=1).encode())
    assert "one JSON document" in error.what


@pytest.mark.parametrize("separator", [";", "|", "\t"])
def test_the_separator_of_a_csv_file_is_the_one_its_header_has(tmp_path: Path, separator: str) -> None:
    table = "\n".join(separator.join(row) for row in (("id", "text"), ("1", '"a, b"'), ("2", "c")))
    assert texts(tmp_path, "a.csv", table.encode()) == ["a, b", "c"]


def test_the_line_that_excel_writes_for_the_separator_is_no_row(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.csv", "sep=;\r\nid;text\r\n1;one\r\n".encode("utf-8-sig")) == ["one"]


def test_only_the_beginning_of_a_compressed_file_is_looked_at(tmp_path: Path) -> None:
    data = b"line of text\n" * (SAMPLE_BYTES // 4)
    assert len(texts(tmp_path, "a.txt.gz", gzip.compress(data))) == SAMPLE_BYTES // 4
