"""Archives of arrays that are not what they say."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy

from lstmlm.errors import UserError
from lstmlm.formats.arrays import read_npz
from tests.hostile import Payload

pytestmark = pytest.mark.slow


def header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def archive(path: Path, data: bytes, **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("weights.npy", data)
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.int64(7), "c": np.zeros((0, 4), np.bool_)}
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_is_no_archive_of_numbers_costs_one_line(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    objects = np.array([Payload(marker)], object)
    np.savez(tmp_path / "objects.npz", objects)
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Payload(marker)))
    archive(tmp_path / "huge.npz", header((1 << 40,)) + bytes(8))
    archive(tmp_path / "below.npz", header((-3,)) + bytes(8))
    archive(tmp_path / "bomb.npz", header((10**8,)) + bytes(4 * 10**8), compression=zipfile.ZIP_DEFLATED)
    archive(tmp_path / "text.npz", header((2,), "<U1") + bytes(8))
    (tmp_path / "empty.npz").write_bytes(b"")
    for path in sorted(tmp_path.glob("*.npz")):
        with pytest.raises(UserError, match="a damaged archive of arrays, or none: ") as caught:
            read_npz(path)
        assert caught.value.where == str(path)
        assert "\n" not in str(caught.value)
    assert not marker.exists()


@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8), cut=st.floats(0, 1)
)
def test_damage_costs_one_line(changes: list[tuple[int, int]], cut: float, tmp_path_factory: Any) -> None:
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(50, dtype=np.float32), b=np.ones((3, 4), np.float32))
    data = bytearray(stream.getvalue())
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(data[: round(len(data) * cut)] if cut < 0.5 else data)
    try:
        found = read_npz(path)
    except UserError:
        return
    assert sum(array.nbytes for array in found.values()) <= len(data)
