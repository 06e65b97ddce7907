"""Loads an export folder for decoding: by the engine, or where it was made without one, by its SavedModel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from lstmlm.inference.served import Output, ServedModel, batch_size
from lstmlm.publish import read_manifest

ENGINE_FACTS = "engine"
"""Key of `model.json` that holds what the engine needs to know of the model."""

SLOTFULS = 64
"""Records the engine is given at once, for every row it decodes: its slots are full nearly all the time."""

CHARACTERS = 1 << 20


class TextModel(Protocol):
    """A published model: texts in, texts out. An output depends on its text and seed alone."""

    def generate(self, texts: Sequence[str], seeds: Sequence[int]) -> list[Output]:
        """Decodes texts, with a seed for each, below 2**63; returns one output a text, in their order."""

    def failures(self) -> tuple[type[Exception], ...]:
        """Returns what a text can be to blame for."""


def load_text_model(folder: Path, *, threads: int | None = None) -> TextModel:
    """Verifies and loads an export folder.

    Args:
        folder: The export folder.
        threads: Threads to compute with.

    Raises:
        UserError: Not a finished export, or one that lacks something.
    """
    read_manifest(folder, "export", verify=True)
    facts = engine_facts(folder)
    if facts is None:
        return ServedModel(folder, threads=threads)
    from lstmlm.inference.engine_model import EngineModel

    return EngineModel(folder, facts, threads=threads or 1)


def engine_facts(folder: Path) -> dict[str, Any] | None:
    """Returns what `lstmlm.export` wrote for the engine; None for an export that has a SavedModel alone."""
    path = folder / "model.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # the SavedModel's loader says what is wrong
    return content.get(ENGINE_FACTS) if isinstance(content, dict) else None


def batch_limits(folder: Path) -> tuple[int, int]:
    """Returns how many records, and about how many characters, the model of an export folder is given at once.

    Raises:
        UserError: `model.json` does not say it.
    """
    facts = engine_facts(folder)
    if facts is None:
        return batch_size(folder), 1 << 62
    return SLOTFULS * int(facts["decoding"]["slots"]), CHARACTERS
