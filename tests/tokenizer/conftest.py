"""A small vocabulary trained on Python's own help texts."""

from __future__ import annotations

from pathlib import Path
from pydoc_data.topics import topics

import pytest

from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model, training_lines

TEXTS = [line for name in sorted(topics)[:12] for line in topics[name].splitlines() if line.strip()]


def written(folders: pytest.TempPathFactory, settings: TokenizerSection) -> Path:
    """Trains a model on the texts and returns its file."""
    path = folders.mktemp("model") / "tokenizer.model"
    lines = (line for text in TEXTS for line in training_lines(text))
    path.write_bytes(train_model(lines, settings))
    return path


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Lines of text."""
    return TEXTS


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SentencePiece model of 600 pieces with the symbol `<unk>`."""
    return written(tmp_path_factory, TokenizerSection(vocabulary=600, symbols=("<unk>",)))


@pytest.fixture(scope="session")
def tokenizer(model_file: Path) -> Tokenizer:
    """The model, loaded."""
    return Tokenizer(model_file)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    """A vocabulary of 600 pieces of every algorithm, without symbols."""
    plans = (
        TokenizerSection.model_validate({"vocabulary": 600, "algorithm": name}) for name in ("unigram", "bpe", "word")
    )
    return {plan.algorithm: Tokenizer(written(tmp_path_factory, plan)) for plan in plans}
