"""Reads archives of arrays (.npz) without pickles, and checks the declared sizes."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.lib.npyio import NpzFile

from lstmlm.errors import UserError


def open_npz(path: Path) -> NpzFile:
    """Opens an uncompressed .npz of numbers, as `numpy.savez` writes it.

    Raises:
        UserError: It is not one, or an array would take another number of bytes than the file has of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{entry.filename} is compressed")
                with archive.open(entry) as stream:
                    _check(stream, entry)
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path), hint="Run the stage again that writes it") from error
    except Exception as error:  # of libraries that read what anybody wrote
        raise _damage(path, error) from error


def read_npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Reads all arrays of an .npz; see `open_npz`."""
    with open_npz(path) as arrays:
        try:
            return {name: arrays[name] for name in arrays.files}
        except Exception as error:  # of libraries that read what anybody wrote
            raise _damage(path, error) from error


def _check(stream: IO[bytes], entry: zipfile.ZipInfo) -> None:
    """Compares the size of an array with that of its bytes.

    Raises:
        ValueError: They differ, or it holds something else than numbers.
    """
    version = npy.read_magic(stream)  # type: ignore[no-untyped-call]
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{entry.filename} is of an unknown version")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(stream)  # type: ignore[no-untyped-call]
    if kind.hasobject or kind.kind not in "biuf":
        raise ValueError(f"{entry.filename} holds no numbers")
    if stream.tell() + math.prod(shape) * kind.itemsize != entry.file_size:
        raise ValueError(f"{entry.filename} has other bytes than its shape {shape} takes")


def _damage(path: Path, error: BaseException) -> UserError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return UserError(
        f"a damaged archive of arrays, or none: {reason}", where=str(path), hint="Run the stage again that writes it"
    )
