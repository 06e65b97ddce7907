"""Ingest from a store to a store: the digests of the same on a disk, with copies, shuffle, ids and exclusions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystems import FileSystems
from faulty_store import faulty

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.corpus.reading import openers
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import Runner
from lstmlm.storage import StorePath
from lstmlm.storage.clients import forget
from tests.stores import keys

pytestmark = pytest.mark.slow

DUPLICATES = {"exact": True, "near": 0.8}


def write_corpus(folder: Path) -> None:
    folder.mkdir()
    draw = random.Random(1)
    words = [f"w{number}" for number in range(500)]
    for file in range(3):
        texts = [" ".join(draw.choices(words, k=30)) for _ in range(120)]
        texts[50:60] = ["the very same text, again and again, and once more"] * 10
        texts[60:70] = [f"{texts[file]} {number}" for number in range(10)]
        rows = [json.dumps({"text": text, "id": f"{file}-{number}"}) for number, text in enumerate(texts)]
        rows[5] = "{"
        (folder / f"{file}.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "held.txt").write_text("the very same text, again and again, as in an evaluation\n")


def recipe(root: str, **corpus: Any) -> Recipe:
    section = {"root": root, "train": "*.jsonl", "id": "id", "valid_fraction": 0.2, "shards": 3, "exclusions": True}
    return Recipe.model_validate({"name": "s", "task": "generate", "corpus": section | corpus})


def sums(manifest: Manifest) -> dict[str, Any]:
    return {name: facts["sha256"] for name, facts in manifest.files.items()}


@pytest.fixture
def corpus(bucket: StorePath, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The folder of a corpus, and the URL of the same in a store."""
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    write_corpus(tmp_path / "corpus")
    for file in (tmp_path / "corpus").iterdir():
        s3.upload_file(str(file), bucket.bucket, f"corpus/{file.name}")
    return str(tmp_path / "corpus"), f"{bucket}/corpus"


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": True, "duplicates": DUPLICATES, "decontamination": {"files": ["held.txt"], "ngram": 5}},
        {"mixture": [{"files": "1.jsonl", "weight": 1.5}]},
    ],
    ids=["everything", "mixture"],
)
def test_the_digests_are_those_of_a_disk(
    corpus: tuple[str, str], bucket: StorePath, s3: Any, tmp_path: Path, options: dict[str, Any]
) -> None:
    here = ingest(recipe(corpus[0], **options), tmp_path / "out", Silent())
    there = ingest(recipe(corpus[1], **options), bucket / "out", Silent())
    assert sums(there) == sums(here)
    assert there.facts == here.facts
    assert {key for key in keys(s3, bucket) if not key.startswith("corpus/")} == {
        "out/manifest.json", *(f"out/{there.attempt}/{name}" for name in there.files)
    }  # fmt: skip
    assert ingest(recipe(corpus[1], **options), bucket / "out", Silent()).attempt == there.attempt


def test_a_cleaned_corpus_is_written_to_a_store(corpus: tuple[str, str], bucket: StorePath, tmp_path: Path) -> None:
    here = clean(recipe(corpus[0], duplicates=DUPLICATES), tmp_path / "out", Silent())
    there = clean(recipe(corpus[1], duplicates=DUPLICATES), bucket / "out", Silent())
    assert sums(there) == sums(here)


def test_worker_processes_and_a_store_that_refuses_give_the_same_bytes(
    corpus: tuple[str, str], bucket: StorePath, tmp_path: Path, store_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"shuffle": True, "duplicates": DUPLICATES}
    here = ingest(recipe(corpus[0], **options), tmp_path / "out", Silent())
    with faulty(store_server, refused=0.1) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        there = ingest(recipe(corpus[1], **options), bucket / "out", Silent(), runner=Runner("processes", 2))
        assert proxy.faults["refused"] > 0
    forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", store_server)
    assert sums(there) == sums(here)
    read_manifest(bucket / "out", verify=True)


def test_an_object_that_changes_while_it_is_read_is_reported(
    bucket: StorePath, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    monkeypatch.setattr(openers, "_RANGE_BYTES", 1 << 16)
    content = random.Random(2).randbytes(1 << 20)
    s3.put_object(Bucket=bucket.bucket, Key="some", Body=content)
    assert b"".join(openers.read_bytes(f"{bucket}/some", 5, 500_000)) == content[5:500_000]
    chunks = openers.read_bytes(f"{bucket}/some", 0, len(content))
    next(chunks)
    s3.put_object(Bucket=bucket.bucket, Key="some", Body=content[::-1])
    with pytest.raises(UserError, match="changed while it was read"):
        list(chunks)
    with pytest.raises(UserError, match="became shorter while it was read"):
        list(openers.read_bytes(f"{bucket}/some", 0, len(content) + 1))
