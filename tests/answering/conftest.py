"""A passage, and a vocabulary of its pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model

TEXT = "The Norman king of Rome won 3,000 games in 1066, and the kings' game ended. Why? the end"


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"
    path.write_bytes(train_model(iter([TEXT] * 20), TokenizerSection(vocabulary=290)))
    return path


@pytest.fixture(scope="session")
def tokenizer(vocabulary: Path) -> Tokenizer:
    return Tokenizer(vocabulary)
