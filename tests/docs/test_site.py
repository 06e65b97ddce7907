"""The site is built without a warning, and its reference has every name that the version number promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lstmlm

pytestmark = pytest.mark.slow

COMMANDS = (
    [sys.executable, "docs/site/pages.py", "build/site/pages"],
    [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "docs/site/mkdocs.yml"],
)


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    """The folder of the built site."""
    pytest.importorskip("mkdocs", reason="the site needs the dependency group `docs`")
    for command in COMMANDS:
        done = subprocess.run(
            command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert not re.findall(r"^WARNING.*", done.stderr, re.MULTILINE)
    return root / "build" / "site" / "html"


def test_every_promised_name_has_a_section_with_what_its_docstring_says(site: Path) -> None:
    page = (site / "docs" / "reference.html").read_text(encoding="utf-8")
    found = set(re.findall(r'id="(lstmlm\.[\w.]+)"', page))
    promised = [name for name in lstmlm.__all__ if name != "__version__"]
    assert [name for name in promised if not any(one.rpartition(".")[2] == name for one in found)] == []
    assert "lstmlm.api.model.Model.translate" in found
    for words in ("onnxruntime computes, without TensorFlow", "may take the place of any text"):
        assert words in page


def test_every_page_of_the_repository_is_there(site: Path, root: Path) -> None:
    pages = [path.relative_to(root).with_suffix(".html") for path in (root / "docs").rglob("*.md")]
    assert [page for page in pages if not (site / page).is_file()] == []
    assert "lstmlm" in (site / "index.html").read_text(encoding="utf-8")


def test_a_reader_loads_nothing_from_other_servers(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (site / "docs" / "tutorial.html", site / "index.html")]
    loaded = [url for page in pages for url in re.findall(r'(?:src|<link[^>]*href)="(https?://[^"]+)"', page)]
    assert loaded == []
