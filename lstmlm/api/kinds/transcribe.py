"""Transcripts of audio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lstmlm.api.kind import Fields, Kind, candidates
from lstmlm.api.outputs import SpokenWord, Transcribed
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, Task


def _request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    field = recipe.inference.field
    if isinstance(given, bytes):
        return task.request_at({field: given}, Path(), recipe)
    if not isinstance(given, str | os.PathLike):
        raise BadRecord(f"not the path or the content of a file, but {type(given).__name__}")
    path = Path(given).absolute()
    return task.request_at({field: path.name}, path.parent, recipe)


def _transcribed(given: Any, fields: Fields) -> Transcribed:
    words = tuple(SpokenWord(**word) for word in fields["words"])
    return Transcribed(fields["output"], words, fields["seconds"], candidates(fields))


KIND = Kind("audio files, each its path or its bytes", _request, _transcribed)
