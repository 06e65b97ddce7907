"""Makes the packages of an image smaller, and compiles them: in a read-only file system Python cannot do that later.

Removes what no run loads, and the symbol tables of the largest libraries, which only debuggers read. Prints each size.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REMOVED = {
    "tensorflow/include": "headers for operations of one's own",
    "nvidia/*/include": "headers of CUDA",
    "ray/jars": "Ray's workers in Java",
    "onnx/backend/test": "models that test onnx's backends",
    "**/tests": "tests of packages",
    "**/test": "tests of packages",
}
"""Folders, as globs below the packages -> what they hold."""
KEPT = ("tensorflow", "keras", "tf_keras", "apache_beam", "ray", "tfx", "tensorflow_model_analysis")
"""Packages in which a folder with such a name may be a part of what is imported, such as `tf.test`."""
STRIPPED = ("tensorflow/*.so.2", "tensorflow/compiler/**/*.so", "ray/_raylet.so")
"""Libraries that lose their symbol tables. Not all: those that the makers of wheels have patched can break."""


def removed_folders(packages: Path) -> Iterator[tuple[str, Path]]:
    """Yields what each folder holds that no run loads, and the folder; a folder inside another one is not its own."""
    taken: set[Path] = set()
    for pattern, holds in REMOVED.items():
        for folder in sorted(packages.glob(pattern)):
            top = folder.relative_to(packages).parts[0]
            inside = not taken.isdisjoint([folder, *folder.parents])
            if folder.is_dir() and not inside and not (pattern.startswith("**") and top in KEPT):
                taken.add(folder)
                yield holds, folder


def size(path: Path) -> int:
    """Returns the bytes of a file, or of the files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(one.lstat().st_size for one in files if one.is_symlink() or one.is_file())


def remove(packages: Path) -> dict[str, int]:
    """Removes folders; returns the bytes by what they held."""
    freed: dict[str, int] = {}
    for holds, folder in list(removed_folders(packages)):
        freed[holds] = freed.get(holds, 0) + size(folder)
        shutil.rmtree(folder)
    return freed


def strip(packages: Path) -> int:
    """Removes symbol tables; returns the bytes."""
    libraries = [path for pattern in STRIPPED for path in packages.glob(pattern) if not path.is_symlink()]
    before = sum(map(size, libraries))
    if libraries:
        subprocess.run(["strip", "--strip-unneeded", *map(str, libraries)], check=True)
    return before - sum(map(size, libraries))


def main(packages: Path) -> None:
    """Removes, strips and compiles."""
    for holds, freed in (remove(packages) | {"symbol tables": strip(packages)}).items():
        print(f"{freed / 1e6:6.0f} MB  {holds}")
    # Without times: a copy may change them. What does not compile are templates, which some packages ship as `.py`.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(packages, quiet=2, workers=0, invalidation_mode=mode)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
