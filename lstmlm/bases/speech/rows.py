"""Rows of a corpus of speech: their audio and their word times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmlm.audio.files import audio_file
from lstmlm.records.record import Record
from lstmlm.task import BadRecord, BlankRecord, text_of

AUDIO, TIMES = "audio", "times"
"""Columns of a record: FLAC at the recipe's rate, and where each word begins and ends, in seconds."""


def audio_in(record: Record) -> bytes:
    """Returns the FLAC of a record."""
    found = record.columns[AUDIO]
    assert isinstance(found, bytes)
    return found


def audio_of(row: Mapping[str, Any], column: str, folder: Path | str, *, what: str = "column") -> str | bytes:
    """Returns the audio of a row: its bytes, or the path of its file.

    Args:
        row: Column -> value: bytes, the name of a file below the folder, or an object with `bytes` or `path`.
        column: The column of the audio.
        folder: The folder that names are relative to.
        what: What a column is called.

    Raises:
        BlankRecord: It is null or empty.
        BadRecord: There is no such column, file, or kind of value.
    """
    if column not in row:
        raise BadRecord(f"no {what} {column!r} (there are {', '.join(map(repr, row)) or 'none'})")
    value = row[column]
    if isinstance(value, Mapping):  # as Hugging Face's datasets hold audio
        value = value.get("bytes") or value.get("path")
    if value is None or value == "" or value == b"":
        raise BlankRecord(f"{what} {column!r} is empty")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise BadRecord(f"{what} {column!r} is neither the name of a file nor bytes")
    if isinstance(folder, str):
        raise BadRecord(f"{what} {column!r}: audio files are read on this machine only; keep them as bytes")
    try:
        return str(audio_file(folder, value))
    except ValueError as error:
        raise BadRecord(f"{what} {column!r}: {error}") from error


def times_of(row: Mapping[str, Any], column: str, words: int) -> tuple[float, ...]:
    """Returns where words begin and end, in seconds: `0.1-0.5 0.7-1.2` gives 0.1, 0.5, 0.7 and 1.2.

    Raises:
        BadRecord: It is something else, or of another number of words.
    """
    try:
        pairs = [part.split("-") for part in text_of(row, column).split()]
        times = tuple(float(value) for start, end in pairs for value in (start, end))
    except ValueError as error:
        raise BadRecord(f"column {column!r} does not hold `start-end` in seconds for each word") from error
    if len(times) != 2 * words:
        raise BadRecord(f"column {column!r} has {len(times) // 2} times, and there are {words} words")
    return times
