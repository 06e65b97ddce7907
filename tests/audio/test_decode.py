"""Audio of every kind becomes one channel at one rate; what cannot be used is refused with its reason."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lstmlm.audio.decode import AudioError, decoded, whole
from lstmlm.audio.flac import from_flac, to_flac
from tests.audio.sounds import file_of, noise, tone

SAMPLES = noise(0.7, 8000)
WAV = file_of(SAMPLES, 8000)
MP3 = file_of(np.tile(SAMPLES, 8), 44100, "MP3")


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF"])
def test_samples_of_lossless_files_come_back(kind: str) -> None:
    np.testing.assert_array_equal(whole(file_of(SAMPLES, 8000, kind), 8000), SAMPLES)


def test_flac_of_ours_is_lossless_and_always_the_same() -> None:
    np.testing.assert_array_equal(from_flac(to_flac(SAMPLES, 8000)), SAMPLES)
    np.testing.assert_array_equal(whole(to_flac(SAMPLES, 8000), 8000), SAMPLES)
    assert to_flac(SAMPLES, 8000) == to_flac(SAMPLES.copy(), 8000)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
def test_other_widths_are_read(subtype: str) -> None:
    found = whole(file_of(SAMPLES / np.float32(32768), 8000, subtype=subtype), 8000)
    assert np.abs(found.astype(int) - SAMPLES).max() <= {"PCM_U8": 256, "ULAW": 600}.get(subtype, 1)


def test_channels_are_averaged_or_one_is_taken() -> None:
    six = np.zeros([len(SAMPLES), 6], np.int16)
    six[:, 4] = SAMPLES
    data = file_of(six, 8000)
    assert np.abs(whole(data, 8000).astype(float) - SAMPLES / 6).max() <= 1
    np.testing.assert_array_equal(whole(data, 8000, channel=4), SAMPLES)
    with pytest.raises(AudioError, match=r"it has 6 channels, and task_options\.channel is 6"):
        whole(data, 8000, channel=6)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_another_rate_keeps_the_sound(rate: int) -> None:
    """A tone is resampled to the same tone: the two differ by less than a hundredth of its level."""
    data = file_of(tone(440, 1.0, rate), rate)
    found, expected = whole(data, 16000) / 32768, tone(440, 1.0, 16000)
    assert abs(len(found) - len(expected)) <= 1
    size = min(len(found), len(expected))
    assert np.abs(found[:size] - expected[:size]).max() < 0.003


def test_a_long_file_comes_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(file_of(noise(60, 8000), 8000))
    blocks = list(decoded(str(path), 8000))
    assert len(blocks) > 2
    np.testing.assert_array_equal(np.concatenate(blocks), noise(60, 8000))


def test_mp3_and_ogg_are_read() -> None:
    for data in (MP3, file_of(np.tile(SAMPLES, 8), 44100, "OGG")):
        assert abs(len(whole(data, 44100)) - 8 * len(SAMPLES)) < 3000
    tagged = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + MP3 + b"TAG" + bytes(125)
    np.testing.assert_array_equal(whole(tagged, 44100), whole(MP3, 44100))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello, this is a text", "not a WAV, FLAC, MP3, Ogg or AIFF file: it begins with b'hell'"),
        (file_of(np.zeros(0, np.int16), 8000), "it has no samples"),
        (WAV[:-1001], "it ends early: 10199 of 11200 bytes of samples are there"),
        (WAV[:30], "it ends before its samples"),
        (file_of(SAMPLES, 8000, "FLAC")[:-3000], "damaged, or of a kind that is not read"),
        (patched(WAV, 24, struct.pack("<I", 0)), "damaged, or of a kind that is not read"),
        (patched(WAV, 24, struct.pack("<I", 12)), "it has 12 samples per second"),
        (patched(WAV, 22, struct.pack("<H", 0)), "Channel count is zero"),
        (file_of(np.array([0.1, np.nan], np.float32), 8000, subtype="FLOAT"), "not finite numbers"),
        (MP3[: len(MP3) // 2], "it ends early: within the frame at byte"),
        (patched(MP3, 2, b"\x60"), "a damaged MP3 file: no frame begins at byte"),
        (patched(MP3, 0, bytes(4)), "not a WAV"),
        (b"ID3\x04\0\0\0\0\0\x0a" + b"x" * 400, "a damaged MP3 file: no frame begins at byte 20"),
    ],
    # Not the content: a header holds the time at which it was written.
    ids=lambda value: value if isinstance(value, str) else "audio",
)
def test_what_cannot_be_used_is_refused_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(AudioError) as caught:
        whole(data, 8000)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recording_can_be_too_long() -> None:
    assert len(whole(WAV, 8000, longest=0.7)) == len(SAMPLES)
    with pytest.raises(AudioError, match=r"it is longer than 0\.5 s"):
        whole(WAV, 8000, longest=0.5)


def test_damaged_files_do_not_end_the_process() -> None:
    """Bytes are changed at random, at the beginning or anywhere: each file is read or refused."""
    draw = np.random.default_rng(7)
    flac, outcomes = file_of(SAMPLES, 8000, "FLAC"), set()
    for number in range(60):
        data = bytearray([WAV, flac, MP3][number % 3])
        for place in draw.integers(0, 64 if number % 2 else len(data), 3):
            data[place] = draw.integers(256)
        try:
            whole(bytes(data), 8000)
            outcomes.add("read")
        except AudioError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
    np.testing.assert_array_equal(whole(WAV, 8000), SAMPLES)
