"""Extensions are found by name: modules of the package, entry points, `package.module:Object`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lstmlm import plugins
from lstmlm.errors import UserError

GROUP, PACKAGE = "lstmlm.tasks", "lstmlm.tasks"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that is installed next to this one, with the entry point `spell` of the tasks."""
    (tmp_path / "spelling.py").write_text("class Spell:\n    pass\n")
    facts = tmp_path / "spelling-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: spelling\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[lstmlm.tasks]\nspell = spelling:Spell\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("spelling", None)


def test_a_module_of_the_package_is_found_by_its_name() -> None:
    assert plugins.find(GROUP, "generate", PACKAGE).__name__ == "lstmlm.tasks.generate"


def test_an_entry_point_is_found_by_its_name_and_listed(installed: Path) -> None:
    assert plugins.find(GROUP, "spell", PACKAGE).__name__ == "Spell"
    assert plugins.names(GROUP, PACKAGE) == sorted([*plugins.builtin_names(PACKAGE), "spell"])


def test_listing_imports_nothing_of_other_packages(installed: Path) -> None:
    plugins.names(GROUP, PACKAGE)
    assert "spelling" not in sys.modules


def test_a_module_and_an_object_in_it_are_imported(installed: Path) -> None:
    assert plugins.find(GROUP, "spelling:Spell", PACKAGE) is sys.modules["spelling"].Spell


def test_an_unknown_name_is_one_line_with_the_known_ones() -> None:
    with pytest.raises(UserError) as caught:
        plugins.find(GROUP, "dance", PACKAGE)
    known = ", ".join(plugins.names(GROUP, PACKAGE))
    assert str(caught.value) == f"task: no task named 'dance'. There are: {known}"


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(UserError, match="Did you mean `translate`"):
        plugins.find(GROUP, "translat", PACKAGE)


@pytest.mark.parametrize("name", ["no.such.module:Thing", "json:Nothing", "json:", ":json", "json:a:b"])
def test_what_cannot_be_imported_is_one_line(name: str) -> None:
    with pytest.raises(UserError) as caught:
        plugins.find(GROUP, name, PACKAGE)
    assert "\n" not in str(caught.value)
    assert repr(name) in str(caught.value)


def test_two_packages_with_one_name_are_not_guessed_between(installed: Path) -> None:
    facts = installed / "other-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[lstmlm.tasks]\nspell = other:Spell\n")
    with pytest.raises(UserError, match=r"other:Spell, spelling:Spell.*package\.module:Object"):
        plugins.find(GROUP, "spell", PACKAGE)
