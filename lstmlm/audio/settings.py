"""What log-mel features are computed from and how; shared by the examples stage and the SavedModel."""

from __future__ import annotations

import dataclasses

FRAME_SECONDS, SHIFT_SECONDS = 0.025, 0.010
"""Length of a frame, and the time from one to the next, as Kaldi has them."""

PREEMPHASIS = 0.97
LOWEST_HERTZ = 20.0
SCALE = 32768.0
"""Kaldi's features are of samples as 16-bit whole numbers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Features:
    """The form of log-mel features.

    Attributes:
        rate: Samples per second.
        mels: Mel bands.
    """

    rate: int
    mels: int

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return round(self.rate * FRAME_SECONDS)

    @property
    def shift(self) -> int:
        """Samples from the beginning of a frame to that of the next."""
        return round(self.rate * SHIFT_SECONDS)

    @property
    def transform(self) -> int:
        """Samples of the Fourier transform: a power of two."""
        return int(1 << (self.frame - 1).bit_length())

    def frames(self, samples: int) -> int:
        """Returns how many whole frames some samples have."""
        return max(0, 1 + (samples - self.frame) // self.shift) if samples >= self.frame else 0
