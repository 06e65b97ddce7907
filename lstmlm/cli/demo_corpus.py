"""A small real corpus that needs no network: Python's own documentation, from the installation itself."""

from __future__ import annotations

import ast
import collections
import inspect
import json
import os
import re
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.progress import Progress, Silent

SKIPPED_FOLDERS = frozenset(
    {"test", "tests", "idle_test", "site-packages", "dist-packages", "lib2to3", "turtledemo", "__pycache__"}
)
MIN_WORDS = 4
PROMPT_WORDS, PROMPT_EVERY = 3, 50


def write_demo_corpus(output: Path, progress: Progress | None = None) -> int:
    """Writes one JSON line `{"id", "text"}` for each paragraph of the documentation, and `prompts.jsonl` next to it.

    A prompt is the first words of some paragraph: something for a language model to continue. The order and the bytes
    depend only on the Python installation; an identical file is left untouched.

    Args:
        output: The .jsonl file to write.
        progress: Receives the modules read.

    Returns:
        The number of records.
    """
    records = list(_records(Path(sysconfig.get_path("stdlib")), progress or Silent()))
    _write(output, records)
    openings = {" ".join(record["text"].split()[:PROMPT_WORDS]): None for record in records[::PROMPT_EVERY]}
    _write(output.with_name("prompts.jsonl"), [{"id": f"prompt-{n}", "text": text} for n, text in enumerate(openings)])
    return len(records)


def _write(output: Path, records: list[dict[str, str]]) -> None:
    content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode("utf-8")
    if not (output.is_file() and output.read_bytes() == content):
        _replace(output, content)


def _records(library: Path, progress: Progress) -> Iterator[dict[str, str]]:
    seen: set[str] = set()
    kept: collections.Counter[str] = collections.Counter()  # a name may be defined twice, in two branches of an `if`
    modules = sorted(_modules(library))
    if not modules:
        raise UserError("Python's standard library is not here as source files", where=str(library))
    for done, path in enumerate(modules, 1):
        name = _module_name(path.relative_to(library))
        for owner, text in _documents(path, name):
            for paragraph in paragraphs(text):
                if paragraph not in seen:
                    seen.add(paragraph)
                    yield {"id": f"{owner}#{kept[owner]}", "text": paragraph}
                    kept[owner] += 1
        progress.update(done, len(modules), unit="modules")


def _modules(library: Path) -> Iterator[Path]:
    for path in library.rglob("*.py"):
        folders = path.relative_to(library).parts[:-1]
        if not any(part in SKIPPED_FOLDERS or part.startswith("config-") for part in folders):
            yield path


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _documents(path: Path, module: str) -> Iterator[tuple[str, str]]:
    """Yields (dotted name, text) of a module; parsed, never imported."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # a few files of the library are broken on purpose
        return
    if module == "pydoc_data.topics":
        yield from _topics(tree, module)
    yield from _docstrings(tree, module)


def _topics(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    """Yields the language reference that `help()` shows: a dict of texts in the module `pydoc_data.topics`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for topic, text in sorted(ast.literal_eval(node.value).items()):
                yield f"{module}.{topic}", str(text)


def _docstrings(node: ast.AST, owner: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        text = ast.get_docstring(node, clean=True)
        if text:
            yield owner, text
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _docstrings(child, f"{owner}.{child.name}" if named else owner)  # type: ignore[attr-defined]


def paragraphs(text: str) -> Iterator[str]:
    """Yields the paragraphs of a text on one line each: prose only, no headings, tables or fragments."""
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        paragraph = " ".join(block.split())
        words = re.findall(r"[A-Za-z]{2,}", paragraph)
        letters = sum(c.isalpha() or c == " " for c in paragraph)
        if len(words) >= MIN_WORDS and letters >= 0.6 * len(paragraph) and not re.search(r"[=*^~#-]{5,}", paragraph):
            yield paragraph


def _replace(output: Path, content: bytes) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{output.name}.partial-", dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(partial, 0o644)  # mkstemp makes it private
        os.replace(partial, output)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
