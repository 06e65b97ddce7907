"""No second list: nothing but a registry knows what there is of its kind."""

from __future__ import annotations

import ast
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.steps.privacy.kind import PRIVACY_KINDS
from lstmlm.corpus.steps.quality.rule_set import RULE_SETS
from lstmlm.evaluation.metric import METRICS
from lstmlm.inference.model.backend_kind import BACKENDS
from lstmlm.inference.output.format import FORMATS
from lstmlm.plugins import Registry
from lstmlm.recipe.task_options import GROUP, PACKAGE
from lstmlm.task import Task

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
REGISTRIES = [READERS, PRIVACY_KINDS, RULE_SETS, METRICS, BACKENDS, FORMATS, Registry(GROUP, Task, "TASK", PACKAGE)]  # type: ignore[type-abstract]
SOURCES = [path for name in ("lstmlm", "components", "pipelines", "deploy") for path in (ROOT / name).rglob("*.py")]
KINDS_OF_FILES = {ending.removeprefix(".") for name in READERS.builtin() for ending in READERS.load(name).endings}
LISTS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Subscript, ast.BoolOp)


def lists(path: Path, names: set[str]) -> Iterator[str]:
    """Yields where a file lists two of the names or more; a task may say which metrics it is measured by."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, LISTS):
            inner = (part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
            found = {part.value.removeprefix(".") for part in inner} & names
            if len(found) > 1:
                yield f"{path.relative_to(ROOT)}:{node.lineno} {sorted(found)}"


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.group)
def test_no_file_lists_the_names_of_a_registry(registry: Registry) -> None:
    names = {*registry.builtin()} | (KINDS_OF_FILES if registry is READERS else set())
    own = {ROOT / registry.package.replace(".", "/")} | ({ROOT / "lstmlm/tasks"} if registry is METRICS else set())
    found = [line for path in SOURCES if not own & {*path.parents} for line in lists(path, names)]
    assert found == []


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.group)
def test_everything_built_in_can_be_loaded(registry: Registry) -> None:
    assert registry.builtin()
    assert registry.names() == sorted({*registry.builtin(), *registry.names()})
    assert all(isinstance(registry.load(name), registry.base) for name in registry.builtin())
    assert registry.versions(registry.builtin()) == []


def test_a_reader_that_is_added_as_a_module_is_known_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lstmlm.corpus.reading.kinds as package
    from lstmlm import plugins
    from lstmlm.corpus.reading.readers import read_file
    from lstmlm.corpus.sources.files import list_corpus
    from lstmlm.corpus.sources.kinds import _file_kinds
    from lstmlm.recipe.file import parse_recipe

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "stars.py").write_text(
        "from lstmlm.corpus.reading.readers import TextReader\n"
        "from lstmlm.corpus.reading.rows import Row\n"
        "class Stars(TextReader):\n"
        "    endings = ('.stars',)\n"
        "    def line_rows(self, lines, file_range, corpus, needed):\n"
        "        for number, data, problem in lines:\n"
        "            yield Row(number, len(data), {'text': data.decode().strip('*')})\n"
        "READER = Stars()\n"
    )
    (tmp_path / "a.stars.gz").write_bytes(gzip.compress(b"*one*\n*two*\n"))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "mine")])
    plugins._modules.cache_clear()
    _file_kinds.cache_clear()
    try:
        recipe = parse_recipe(f"name: r\ntask: generate\ncorpus: {{root: {tmp_path}, train: .}}\n", "r.yaml")
        (file,) = list_corpus(recipe).files
        assert [row.fields for row in read_file(file, recipe.corpus, [])] == [{"text": "one"}, {"text": "two"}]
    finally:
        plugins._modules.cache_clear()
        _file_kinds.cache_clear()
