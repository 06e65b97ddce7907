"""Reports words that CONTRIBUTING.md replaces by standard ones: `python -m tests.words`, a part of `make lint`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("lstmlm", "components", "pipelines", "deploy", "docs", "benchmarks", "tests", "examples", "ci")
KINDS = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".txt"}
LIST = "CONTRIBUTING.md"
_LITERAL = re.compile(r"(?<!`)`` (.+?) ``|(?<!`)`([^`]+)`(?!`)")  # Markdown's two ways to write code


@dataclass(frozen=True)
class Rule:
    """A row of the table: the words, what to write in their place, and the strings in which they are allowed."""

    words: re.Pattern[str]
    better: str
    allowed: re.Pattern[str] | None


def rules(document: str) -> list[Rule]:
    """Returns the rows of the table below `## Words`."""
    section = document.split("\n## Words\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [_rule(*row) for row in rows[2:]]  # behind the head of the table


def faults(name: str, text: str, of: list[Rule]) -> Iterator[str]:
    """Yields a line for each listed word of a text; a phrase may continue on the next line, of a comment too."""
    for rule in of:
        allowed = [match.span() for match in rule.allowed.finditer(text)] if rule.allowed else []
        for match in rule.words.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in allowed):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {' '.join(match[0].split())!r}: write {rule.better}"


def files(root: Path) -> Iterator[Path]:
    """Yields the files that are checked: all but the list itself and the test with its examples."""
    yield from (path for path in sorted(root.glob("*")) if path.suffix == ".md" and path.name != LIST)
    yield root / "Makefile"
    for folder in FOLDERS:
        paths = sorted((root / folder).rglob("*"))
        yield from (path for path in paths if path.suffix in KINDS and path.name != "test_words.py" and path.is_file())


def main() -> int:
    """Prints the faults of all files; returns 1 if there are any."""
    of = rules((ROOT / LIST).read_text())
    found = [fault for path in files(ROOT) for fault in faults(str(path.relative_to(ROOT)), path.read_text(), of)]
    print("\n".join(found) or "words: none of the list")
    return int(bool(found))


def _rule(words: str, better: str, allowed: str) -> Rule:
    # No letter or hyphen touches a word (`stand-alone` is none), but the parts of a name in snake case are words.
    phrases = [r"\s+(?:#\s+)?".join(map(re.escape, phrase.split())) for phrase in words.split(", ")]
    literals = [re.escape(double or single) for double, single in _LITERAL.findall(allowed)]
    pattern = re.compile(rf"(?<![A-Za-z-])(?:{'|'.join(phrases)})(?![A-Za-z-])", re.IGNORECASE)
    return Rule(pattern, better, re.compile("|".join(literals)) if literals else None)


if __name__ == "__main__":
    sys.exit(main())
