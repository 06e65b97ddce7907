"""The tokenizer stage: trained from records, or given."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.vocabulary.stage import train_tokenizer

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def recipe(root: Path, **tokenizer: object) -> Recipe:
    settings = {"vocabulary": 600, "symbols": ["<unk>"], **tokenizer}
    corpus = {"root": root, "train": "a.txt", "valid_fraction": 0.1, "shards": 2}
    return Recipe.model_validate({"name": "test", "task": "generate", "corpus": corpus, "tokenizer": settings})


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    text = "\n".join(topics[name] for name in sorted(topics)[:12])
    (folder / "a.txt").write_text(text + "\n" + "long " * 3000 + "\n")
    ingest(recipe(folder), folder / "records", Silent())
    return folder / "records"


@pytest.fixture(scope="module")
def tokenizer(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(recipe(folder), records, folder / "out", Silent())
    return folder / "out" / "tokenizer.model"


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_same_bytes_on_every_run_and_silence(
    records: Path, tmp_path: Path, algorithm: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = recipe(tmp_path, algorithm=algorithm, vocabulary=400)
    first = train_tokenizer(run, records, tmp_path / "one", Silent())
    assert train_tokenizer(run, records, tmp_path / "one", Silent()) == first
    assert train_tokenizer(run, records, tmp_path / "two", Silent()) == first
    assert "LOG(" not in capfd.readouterr().err


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_too_large_a_vocabulary_names_the_largest(records: Path, tmp_path: Path, algorithm: str) -> None:
    with pytest.raises(UserError, match=r"tokenizer.vocabulary: .*Set it to \d+ or less") as caught:
        train_tokenizer(recipe(tmp_path, vocabulary=100_000, algorithm=algorithm), records, tmp_path / "o", Silent())
    largest = int(caught.value.hint.split()[3])
    manifest = train_tokenizer(
        recipe(tmp_path, vocabulary=largest, algorithm=algorithm), records, tmp_path / "o", Silent()
    )
    assert manifest.facts["vocabulary"] == largest


def test_too_small_a_vocabulary_names_the_smallest(records: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer.vocabulary: .*Set it to \d+ or more"):
        train_tokenizer(recipe(tmp_path, vocabulary=300), records, tmp_path / "o", Silent())


def test_trained_facts(tokenizer: Path) -> None:
    manifest = read_manifest(tokenizer.parent, "tokenizer", verify=True)
    assert manifest.facts["vocabulary"] == 600
    assert manifest.facts["algorithm"] == "unigram"
    assert manifest.facts["sampled"] > 100
    assert list(manifest.files) == ["tokenizer.model"]


def test_a_given_model_is_published_as_it_is(records: Path, tokenizer: Path, tmp_path: Path) -> None:
    content = tokenizer.read_bytes()
    given_model = tmp_path / "any.model"
    given_model.write_bytes(content)
    manifest = train_tokenizer(recipe(tmp_path, model=given_model), records, tmp_path / "out", Silent())
    assert (tmp_path / "out" / "tokenizer.model").read_bytes() == content
    digest = hashlib.sha256(content).hexdigest()
    facts = {"vocabulary": 600, "algorithm": "unigram", "renumbered": False, "sampled": 0, "sha256": digest}
    assert manifest.facts == facts


def test_the_fingerprint_is_of_the_given_content_and_not_of_its_place(
    records: Path, tokenizer: Path, tmp_path: Path
) -> None:
    shutil.copy(tokenizer, tmp_path / "one.model")
    shutil.copy(tokenizer, tmp_path / "two.model")
    stamps = [
        train_tokenizer(recipe(tmp_path, model=tmp_path / name), records, tmp_path / "out", Silent()).fingerprint
        for name in ("one.model", "two.model")
    ]
    assert stamps[0] == stamps[1]
    with (tmp_path / "one.model").open("ab") as stream:
        stream.write(b"\x22\x00")  # an empty field more: another file
    with pytest.raises(UserError, match="does not hold this result"):
        train_tokenizer(recipe(tmp_path, model=tmp_path / "one.model"), records, tmp_path / "out", Silent())


def test_a_given_file_that_is_missing_is_reported(records: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer\.model: .*none\.model cannot be read"):
        train_tokenizer(recipe(tmp_path, model=tmp_path / "none.model"), records, tmp_path / "out", Silent())


def test_encoding_text_does_not_import_beam() -> None:
    code = "import sys, lstmlm.tokenizer; print(any(n in sys.modules for n in ('apache_beam', 'tensorflow')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert found.stdout == "False\n"
