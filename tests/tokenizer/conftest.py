"""A small vocabulary trained on Python's own help texts."""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics

import pytest

from lstmlm.recipe import Tokenizer as Settings
from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.train import train_model, training_lines

TEXTS = [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Lines of text."""
    return TEXTS


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SentencePiece model of 600 pieces with the symbol `<unk>`."""
    path = tmp_path_factory.mktemp("model") / "tokenizer.model"
    lines = (line for text in TEXTS for line in training_lines(text))
    path.write_bytes(train_model(lines, Settings(vocabulary=600, symbols=("<unk>",))))
    return path


@pytest.fixture(scope="session")
def tokenizer(model_file: Path) -> Tokenizer:
    """The model, loaded."""
    return Tokenizer(model_file)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    """A vocabulary of 600 pieces of every algorithm, without symbols."""
    found = {}
    for algorithm in ("unigram", "bpe", "word"):
        path = tmp_path_factory.mktemp(algorithm) / "tokenizer.model"
        lines = (line for text in TEXTS for line in training_lines(text))
        path.write_bytes(train_model(lines, Settings.model_validate({"vocabulary": 600, "algorithm": algorithm})))
        found[algorithm] = Tokenizer(path)
    return found
