"""A corpus in S3, read from a real server on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from apache_beam.io.filesystems import FileSystems
from moto.server import ThreadedMotoServer

from lstmlm.corpus.ingest import ingest
from lstmlm.corpus.sources.files import list_corpus
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage.clients import forget

pytestmark = pytest.mark.slow

NAMES = ("web/a.jsonl", "web/b [x] 1%20.jsonl", "web/ü#&+=.jsonl", "web//double.jsonl")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    forget()
    yield server
    forget()


@pytest.fixture
def corpus(environment: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", environment)
    store = boto3.client("s3")
    store.create_bucket(Bucket="corpus")
    for name in NAMES:
        rows = "".join(json.dumps({"text": f"{name} sentence {number}."}) + "\n" for number in range(50))
        store.put_object(Bucket="corpus", Key=name, Body=rows.encode())
    yield store
    for name in NAMES:
        store.delete_object(Bucket="corpus", Key=name)
    store.delete_bucket(Bucket="corpus")


def recipe(root: str = "s3://corpus", **corpus: Any) -> Recipe:
    return Recipe.model_validate({"name": "s3", "task": "generate", "corpus": {"root": root, "train": "web", **corpus}})


def test_every_object_of_a_folder_is_read(corpus: Any, tmp_path: Path) -> None:
    assert {file.name for file in list_corpus(recipe()).files} == set(NAMES)
    manifest = ingest(recipe(valid_fraction=0.1), tmp_path / "records", Silent())
    assert manifest.facts["counts"]["kept"] == 50 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_one_object_is_named_whatever_its_key(corpus: Any, name: str) -> None:
    assert [file.name for file in list_corpus(recipe(train=name)).files] == [name]


def test_the_fingerprint_follows_the_content(corpus: Any) -> None:
    one = recipe(train=NAMES[0])
    before = corpus_fingerprint(one)
    assert corpus_fingerprint(one) == before
    corpus.put_object(Bucket="corpus", Key=NAMES[0], Body=b'{"text": "another"}\n')
    assert corpus_fingerprint(one) != before


def test_a_bucket_that_is_not_there_is_named(corpus: Any) -> None:
    with pytest.raises(UserError) as caught:
        list_corpus(recipe("s3://missing"))
    assert "s3://missing" in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_named(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="nothing answers at") as caught:
        list_corpus(recipe())
    assert caught.value.where == "AWS_ENDPOINT_URL"
