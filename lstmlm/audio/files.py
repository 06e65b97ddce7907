"""Finds the audio files that rows name: below a folder, and nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

from lstmlm.audio.headers import NotAudio


def audio_file(folder: Path, name: str) -> Path:
    """Returns the path of an audio file that a row names.

    Args:
        folder: The folder that names are relative to.
        name: The name, with forward slashes.

    Raises:
        NotAudio: It leads out of the folder, also by a link, or is not a file.
    """
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name or "://" in name:
        raise NotAudio(f"{name!r} leads out of the folder of the corpus")
    try:
        root = folder.resolve()
        path = (root / pure).resolve()
        status = path.stat()
    except (OSError, RuntimeError) as error:
        raise NotAudio(f"no audio file {name!r}: {getattr(error, 'strerror', None) or error}") from error
    if not path.is_relative_to(root):
        raise NotAudio(f"{name!r} leads out of the folder of the corpus")
    if not stat.S_ISREG(status.st_mode):
        raise NotAudio(f"{name!r} is not a file")
    return path
