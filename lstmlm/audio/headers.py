"""Looks at the first bytes of an audio file: what it is, and whether a WAV file is as long as it says."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif")
"""What the names of audio files end in."""

_KINDS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3")
_OPEN_ENDED = (0, 0x7FFFF000, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF - 36)
"""Lengths that programs write when they do not know the length: those that write into a pipe."""


class NotAudio(ValueError):
    """A file that is not audio of a known kind, or is cut off; the message says which."""


def check_header(stream: BinaryIO) -> bool:
    """Refuses what is not audio, before a library looks at it, and WAV files that were cut off.

    Args:
        stream: The file, at its beginning; it is there again afterwards.

    Returns:
        Whether it is MPEG audio, such as MP3.

    Raises:
        NotAudio: See the class.
    """
    head = stream.read(12)
    if not head:
        raise NotAudio("the file is empty")
    frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # how a frame of MPEG audio begins
    if not head.startswith(_KINDS) and not frame:
        raise NotAudio(f"not a WAV, FLAC, MP3, Ogg or AIFF file: it begins with {head[:4]!r}")
    if head.startswith(b"RIFF") and head[8:] == b"WAVE":
        _check_wav(stream)
    stream.seek(0)
    return frame or head.startswith(b"ID3")


def _check_wav(stream: BinaryIO) -> None:
    """Walks over the chunks of a WAV file to the samples; a truncated file has fewer than it says."""
    size = stream.seek(0, os.SEEK_END)
    at = 12
    while at + 8 <= size:
        stream.seek(at)
        name, length = struct.unpack("<4sI", stream.read(8))
        if name == b"data":
            there = size - at - 8
            if length > there and length not in _OPEN_ENDED:
                raise NotAudio(f"it ends early: {there} of {length} bytes of samples are there")
            return
        at += 8 + length + length % 2
    raise NotAudio("it ends before its samples")
