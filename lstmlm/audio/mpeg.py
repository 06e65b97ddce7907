"""Walks over the frames of an MP3 file: whether it is whole, and how many samples it has.

The library that decodes them skips what it cannot read, and stops at a guessed length where a file does not say its
own: what is lost would be lost silently. The headers are those of ISO 11172-3 and 13818-3.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from lstmlm.audio.headers import NotAudio

# Kilobits per second by the index in the header; of MPEG 1 layers I, II, III, and of MPEG 2 layers I, II and III.
_RATES_1 = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_RATES_2 = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = (44100, 48000, 32000)
_TAGS = (b"TAG", b"APET", b"LYRI", b"ID3", b"3DI", b"\0")
"""What may come after the last frame: tags, and padding."""


def check_frames(stream: BinaryIO) -> int:
    """Walks over all frames.

    Args:
        stream: The file, at its beginning; it is there again afterwards.

    Returns:
        The samples of a channel that its frames hold.

    Raises:
        NotAudio: A frame is missing or cut off.
    """
    size = stream.seek(0, os.SEEK_END)
    at = first = _tag_size(stream)
    samples = 0
    while at < size:
        stream.seek(at)
        head = stream.read(4)
        found = frame(head)
        if found is None:
            if samples and head.startswith(_TAGS):
                break
            raise NotAudio(f"a damaged MP3 file: no frame begins at byte {at}")
        length, count = found
        if at + length > size:
            raise NotAudio(f"it ends early: within the frame at byte {at}")
        if at > first or not _describes(stream, length):
            samples += count
        at += length
    stream.seek(0)
    return samples


def frame(head: bytes) -> tuple[int, int] | None:
    """Returns the bytes of a frame and its samples of a channel, by its first four bytes; None where there is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate_index, hertz_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or rate_index in (0, 15) or hertz_index == 3:
        return None
    whole = version == 3  # MPEG 1; 2 is MPEG 2 and 0 is MPEG 2.5, of a half and a quarter of its rates
    rate = (_RATES_1 if whole else _RATES_2)[layer][rate_index] * 1000
    hertz = _HERTZ[hertz_index] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return (12 * rate // hertz + padding) * 4, 384
    samples = 1152 if layer == 2 or whole else 576
    return samples // 8 * rate // hertz + padding, samples


def _tag_size(stream: BinaryIO) -> int:
    """Returns the bytes of the ID3 tag that the file begins with."""
    stream.seek(0)
    head = stream.read(10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _describes(stream: BinaryIO, length: int) -> bool:
    """Says whether the frame whose head was read holds no sound but facts about the others (Xing, Info, VBRI)."""
    content = stream.read(min(length, 64))
    return any(name in content for name in (b"Xing", b"Info", b"VBRI"))
