"""Folders stay small enough to be read at a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(
    {path.parent for name in ("lstmlm", "components", "pipelines") for path in (ROOT / name).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_holds_at_most_15_modules_and_the_package_6(folder: Path) -> None:
    most = 6 if folder == ROOT / "lstmlm" else 15
    files = sorted(path.name for path in folder.glob("*.py") if most == 15 or path.name != "__init__.py")
    assert len(files) <= most, files
