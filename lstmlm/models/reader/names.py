"""What the reader's graph of TensorFlow and that of ONNX have in common."""

from __future__ import annotations

import numpy as np

from lstmlm.models.reader.shapes import Shape

SHAPES = len(Shape)
REACHES = (2, 5, 10, 20)
"""Tokens to either side that a window holds."""
WIDTH = 4 + 2 + len(REACHES) + 2 + 1 + SHAPES
"""Features of a token of a passage."""
LEAST_SHARE = np.float32(1e-6)
"""What shares are divided by at least."""
IMPOSSIBLE = -1e9
"""The score of what cannot be."""
