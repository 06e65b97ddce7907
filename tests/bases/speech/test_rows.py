"""Rows of a corpus of speech: audio as a name, as bytes, as datasets hold it; word times."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.bases.speech.examples import reason_against, steps_needed
from lstmlm.bases.speech.rows import audio_of, times_of
from lstmlm.task import BadRecord, BlankRecord


def test_audio_is_named_or_embedded(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    path = str(tmp_path / "a.wav")
    for value, expected in [
        ("a.wav", path),
        (b"content", b"content"),
        ({"bytes": b"content", "path": "a.wav"}, b"content"),
        ({"bytes": None, "path": "a.wav"}, path),
    ]:
        assert audio_of({"wav": value}, "wav", tmp_path) == expected


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    for value in (None, "", b"", {"bytes": None, "path": None}):
        with pytest.raises(BlankRecord, match="column 'wav' is empty"):
            audio_of({"wav": value}, "wav", tmp_path)
    for row, message in [
        ({"flac": "a"}, r"no column 'wav' \(there are 'flac'\)"),
        ({"wav": 7}, "neither the name of a file nor bytes"),
        ({"wav": "../a.wav"}, "leads out of the folder"),
        ({"wav": {"bytes": None, "path": "/a.wav"}}, "leads out of the folder"),
    ]:
        with pytest.raises(BadRecord, match=message):
            audio_of(row, "wav", tmp_path)
    with pytest.raises(BadRecord, match="audio files are read on this machine only"):
        audio_of({"wav": "a.wav"}, "wav", "s3://bucket/folder")


def test_times_are_one_pair_for_each_word() -> None:
    assert times_of({"times": "0.1-0.5 0.75-1"}, "times", 2) == (0.1, 0.5, 0.75, 1.0)
    for text, message in [
        ("0.1 0.5", "does not hold"),
        ("a-b", "does not hold"),
        ("0.1-0.5", "1 times, and there are 2"),
    ]:
        with pytest.raises(BadRecord, match=message):
            times_of({"times": text}, "times", 2)


def test_a_transcript_must_fit_into_its_recording() -> None:
    assert steps_needed([5, 6, 6, 6, 7]) == 7
    assert reason_against(14, [5, 6, 6, 6, 7], 2) is None
    assert reason_against(12, [5, 6, 6, 6, 7], 2) == "shorter_than_transcript"
    assert reason_against(100, [5, 1], 2) == "unknown_characters"
    assert reason_against(0, [], 2) == "shorter_than_transcript"
