"""Log-mel features as Kaldi computes them (Povey et al. 2011), by kaldi-native-fbank; outside of a graph."""

from __future__ import annotations

import kaldi_native_fbank as knf
import numpy as np
import numpy.typing as npt

from lstmlm.audio.settings import LOWEST_HERTZ, PREEMPHASIS, SCALE, Features

Samples = npt.NDArray[np.float32]
"""One channel, between -1 and 1: float32 [samples]."""


def log_mel(samples: Samples, form: Features) -> npt.NDArray[np.float32]:
    """Computes log-mel energies: no dither, so that equal samples give equal features.

    Args:
        samples: One channel at `form.rate`, between -1 and 1.
        form: What to compute.

    Returns:
        float32 [frames, mels], natural logarithms; only whole frames are used (`Features.frames`).
    """
    if len(samples) < form.frame:
        return np.zeros([0, form.mels], np.float32)
    computer = knf.OnlineFbank(_options(form))
    # A list would be made of each sample otherwise: the library reads an array at once.
    computer.accept_waveform(form.rate, np.asarray(samples * np.float32(SCALE), np.float32))
    computer.input_finished()
    count = computer.num_frames_ready
    if not count:
        return np.zeros([0, form.mels], np.float32)
    return np.stack([computer.get_frame(place) for place in range(count)]).astype(np.float32)


def _options(form: Features) -> knf.FbankOptions:
    options = knf.FbankOptions()
    frames, mels = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.dither, frames.snip_edges = float(form.rate), 0.0, True
    frames.preemph_coeff, frames.window_type, frames.remove_dc_offset = PREEMPHASIS, "povey", True
    mels.num_bins, mels.low_freq, mels.high_freq = form.mels, LOWEST_HERTZ, 0.0
    options.use_energy = False
    return options
