"""Measures the accuracy of language identification for single sentences, on both sides of a table of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from table import Row, row

from lstmlm.corpus.steps.language import detector

LONGER_THAN = 20  # characters


def measure(path: Path) -> Iterator[Row]:
    """Yields a row for each column of a .tsv file, which is named by its language; both languages are expected."""
    expected = ("en", "fr")
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    for column, language in enumerate(lines[0]):
        texts = [line[column] for line in lines[1:] if len(line[column]) > LONGER_THAN]
        right = sum(found == language for found in detector().detect(texts, expected))
        yield row(f"language of the {language} side of {path.parent.name}, share right", right / len(texts), bar=0.97)
