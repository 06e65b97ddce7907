"""The fuzz targets: every reader of foreign files and of this project's own files, with valid files as seeds."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import tokenizers
import zstandard
from tokenizers import decoders, models, pre_tokenizers, trainers

from lstmlm.corpus.reading.kinds.tfrecord import example_rows
from lstmlm.corpus.reading.readers import read_file
from lstmlm.corpus.sources.files import corpus_file
from lstmlm.corpus.sources.listing import Found
from lstmlm.formats.arrays import read_npz
from lstmlm.formats.arrow import pa, pq
from lstmlm.inference.chunks import chunk_path
from lstmlm.inference.job import Place
from lstmlm.inference.model.loading import engine_facts
from lstmlm.inference.model.served import batch_size
from lstmlm.inference.work import is_planned, opened
from lstmlm.publish.folder import publish, read_manifest
from lstmlm.recipe.file import load_recipe
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.records.protobuf import bytes_example
from lstmlm.records.record import Record, deserialize, serialize
from lstmlm.records.tfrecord import frame, read_records, write_records
from lstmlm.tokenizer.foreign.given import adopt
from lstmlm.training.metrics.log import read_metrics

TEXTS = [f"Sentence {n}, of “rivers” é 漢字 \U0001f600 and <unk> stones." for n in range(60)]
RECIPE = """
name: fuzzed
task: generate
corpus: {root: /tmp, train: a.jsonl, valid_fraction: 0.1, mixture: [{files: a.jsonl, weight: 2}]}
tokenizer: &t {vocabulary: 600, symbols: ["<a>", "<b>"]}
training: {steps: 12, batch: 8, workers: [1, 2], learning_rate: 1e-3}
evaluation: {thresholds: {perplexity: {max: 100}}}
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        name: The file's name; its ending says its kind.
        files: Contents of good files.
        read: Reads a file to its end.
        inside: Whether it runs in a process of its own already.
    """

    name: str
    files: list[bytes]
    read: Callable[[Path], object]
    inside: bool = False


def _rows(path: Path) -> None:
    file = corpus_file(Found(path.name, str(path), path.stat().st_size))
    for row in read_file(file, CorpusSection(train=path.name, max_line_bytes=100_000), ["text"]):
        assert row.fields is None or isinstance(row.fields, dict)


def _adopt(path: Path) -> None:
    folder = path.parent / "adopted"
    folder.mkdir(exist_ok=True)
    adopt(path, folder)


def _manifest(path: Path) -> None:
    read_manifest(path.parent, "records", verify=True)


def _facts(path: Path) -> None:
    batch_size(path.parent)
    engine_facts(path.parent)


def _parquet() -> list[bytes]:
    table = pa.table({"text": TEXTS, "id": range(60), "many": [[text] for text in TEXTS], "deep": [{"a": [1]}] * 60})
    found = []
    options: list[dict[str, Any]] = [{}, {"compression": "zstd", "data_page_version": "2.0"}, {"row_group_size": 7}]
    for option in [*options, {"compression": "none", "use_dictionary": False}]:
        stream = io.BytesIO()
        pq.write_table(table, stream, **option)
        found.append(stream.getvalue())
    return found


def _tokenizers() -> list[bytes]:
    words = tokenizers.Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    words.train_from_iterator(TEXTS, trainers.WordLevelTrainer(special_tokens=special, show_progress=False))
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel()
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    return [words.to_str().encode(), made.to_str().encode()]


def _sentence_piece() -> list[bytes]:
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=stream, vocab_size=320, model_type="bpe", minloglevel=2,
        byte_fallback=True,
    )  # fmt: skip
    return [stream.getvalue()]


def _records(path: Path) -> None:
    for payload in read_records(path):
        deserialize(payload)


def _metrics() -> bytes:
    rows = [{"step": step, "loss": 1.5, "valid_loss": 2.0, "tokens_per_second": 10.0} for step in range(1, 9)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


_CHUNK = b'["request",0,"id","text",1,"a.jsonl",1,"",{}]\n'


def _plan() -> bytes:
    content = {"stamp": "s", "total": 1, "chunks": [[0, 1]], "sha256": [hashlib.sha256(_CHUNK).hexdigest()]}
    return json.dumps(content).encode()


def _work(path: Path) -> None:
    place = Place(path.parent, "jsonl")
    for folder in (place.inputs, place.done):
        folder.mkdir(exist_ok=True)
    chunk_path(place.inputs, 0).write_bytes(_CHUNK)
    if is_planned(place.folder):
        opened(place).left()


def _npz() -> list[bytes]:
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(50, dtype=np.float32), b=np.ones((3, 4), np.float32))
    return [stream.getvalue()]


def targets(folder: Path) -> list[Target]:
    """Returns the readers; `folder` is for what is needed to make their files."""
    lines = "".join(json.dumps({"id": n, "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(TEXTS))
    jsonl = lines.encode()
    table = "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(TEXTS))
    quoted = "id,text\r\n" + "".join(f'{n},"{text}"\r\n' for n, text in enumerate(TEXTS))
    array = json.dumps([{"text": text} for text in TEXTS]).encode()
    write_records(folder / "a.tfrecord", (bytes_example({"text": [text.encode()]}) for text in TEXTS))
    (folder / "work").mkdir()
    with publish(folder / "published", "records") as draft:
        (draft.path / "data.txt").write_text("a")
        draft.facts["counts"] = {"kept": 1}
    facts = {"batch": 8, "engine": {"task": "generate", "max_source": 64}, "vocabulary": 600}
    return [
        Target("a.txt", ["\n".join(TEXTS).encode(), "\n".join(TEXTS).encode("utf-16")], _rows),
        Target("a.jsonl", [jsonl, jsonl.decode().encode("utf-16-le"), array], _rows),
        Target("a.tsv", [table.encode()], _rows),
        Target("a.csv", [quoted.encode()], _rows),
        Target("a.jsonl.gz", [gzip.compress(jsonl, mtime=0)], _rows),
        Target("a.jsonl.bz2", [bz2.compress(jsonl)], _rows),
        Target("a.jsonl.zst", [zstandard.compress(jsonl)], _rows),
        Target("a.jsonl.xz", [lzma.compress(jsonl)], _rows),
        Target("a.parquet", _parquet(), _rows, inside=True),
        Target("records.tfrecord", [frame([serialize(Record("1", text, (text,))) for text in TEXTS])], _records),
        Target("metrics.jsonl", [_metrics()], read_metrics),
        Target("work/job.json", [_plan()], _work),
        Target("a.tfrecord", [(folder / "a.tfrecord").read_bytes()], lambda path: list(example_rows(str(path)))),
        Target("tokenizer.json", _tokenizers(), _adopt, inside=True),
        Target("tokenizer.model", _sentence_piece(), _adopt, inside=True),
        Target("recipe.yaml", [RECIPE.encode()], load_recipe),
        Target("weights.npz", _npz(), read_npz),
        Target("published/manifest.json", [(folder / "published" / "manifest.json").read_bytes()], _manifest),
        Target("model.json", [json.dumps(facts).encode()], _facts),
    ]
