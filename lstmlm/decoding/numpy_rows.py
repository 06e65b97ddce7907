"""Moves rows of NumPy arrays, for backends that compute on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.backend import Ints

Array = npt.NDArray[Any]


class NumpyRows:
    """The array functions of `Backend`."""

    def take(self, array: Array, rows: Ints) -> Array:
        """See `Backend`."""
        return array[rows]

    def put(self, array: Array, rows: Ints, values: Array) -> Array:
        """See `Backend`; changes the array."""
        array[(rows, *(slice(size) for size in values.shape[1:]))] = values
        return array

    def resize(self, array: Array, axis: int, size: int) -> Array:
        """See `Backend`."""
        now = array.shape[axis]
        if now < size:
            widths = [(0, size - now if n == axis else 0) for n in range(array.ndim)]
            return np.pad(array, widths)
        kept = tuple(slice(size) if n == axis else slice(None) for n in range(array.ndim))
        return np.ascontiguousarray(array[kept])
