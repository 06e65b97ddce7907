"""Puts the pages of the site together: `python docs/site/pages.py build/site/pages`.

They are the Markdown files of the repository, in the same folders, so that their links hold; the other files that these
name; and the reference, a section for each name of `lstmlm.__all__`, which mkdocstrings fills from the docstrings.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import lstmlm

ROOT = Path(__file__).parents[2]
PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md", "deploy/**/*.md")
REFERENCE = "docs/reference.md"
_LINK = re.compile(r"\]\(([^)#:\s]+)")
_ERRORS = {"BelowThreshold": "lstmlm.errors", "TryAgain": "lstmlm.errors", "UserError": "lstmlm.errors"}


def main(target: Path) -> None:
    """Writes the pages into a folder, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    for page in sorted({path for pattern in PAGES for path in ROOT.glob(pattern)}):
        _copy(page, target)
        for linked in _linked(page):
            _copy(linked, target)
    (target / REFERENCE).write_text(reference(), encoding="utf-8")


def reference() -> str:
    """Returns the page of the reference."""
    homes = lstmlm._HOMES | _ERRORS
    sections = [f"::: {homes[name]}.{name}\n" for name in lstmlm.__all__ if name != "__version__"]
    intro = (
        "Every name of `lstmlm.__all__`: what the version number promises. How they go together: [Python](python.md)."
    )
    return "\n".join(["# Reference of the Python interface\n", f"{intro}\n", *sections])


def _copy(path: Path, target: Path) -> None:
    to = target / path.relative_to(ROOT)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def _linked(page: Path) -> Iterator[Path]:
    """Yields the files of the repository that a page links to, other than pages."""
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        found = (page.parent / link).resolve()
        if found.is_file() and found.is_relative_to(ROOT) and found.suffix != ".md":
            yield found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
