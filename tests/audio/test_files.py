"""Rows name audio files below the folder of the corpus, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.audio.files import audio_file
from lstmlm.audio.headers import NotAudio


def test_files_below_the_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "a.wav").write_bytes(b"x")
    (tmp_path / "link.wav").symlink_to("wav/a.wav")
    for name in ("wav/a.wav", "./wav/a.wav", "link.wav"):
        assert audio_file(tmp_path, name) == tmp_path / "wav" / "a.wav"


def test_nothing_else_is_read(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "wav").mkdir(parents=True)
    (tmp_path / "secret.wav").write_bytes(b"x")
    (corpus / "out.wav").symlink_to(tmp_path / "secret.wav")
    for name in (
        "../secret.wav",
        "wav/../../secret.wav",
        str(tmp_path / "secret.wav"),
        "out.wav",
        "file:///etc/x",
        "a\0b",
    ):
        with pytest.raises(NotAudio, match="leads out of the folder"):
            audio_file(corpus, name)
    with pytest.raises(NotAudio, match=r"no audio file 'wav/b\.wav': No such file"):
        audio_file(corpus, "wav/b.wav")
    with pytest.raises(NotAudio, match="'wav' is not a file"):
        audio_file(corpus, "wav")
