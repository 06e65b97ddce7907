"""Files that names, folders and globs match."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lstmlm.corpus.sources.found import LeftOut, Listing
from lstmlm.corpus.sources.globs import name_matches
from lstmlm.corpus.sources.listing import list_files
from lstmlm.errors import UserError
from tests.corpus.memory_store import MemoryStore
from tests.corpus.privileges import not_root

ENDINGS = (".txt", ".txt.gz")
NAMES = [
    "a.txt", "b[1].txt", "data/one.txt", "data/more/two.TXT", "data/more/three.txt.gz", "data/notes.md",
    "data/.hidden.txt", "data/.cache/four.txt", "database/five.txt",
]  # fmt: skip


def names(listing: Listing) -> list[str]:
    return [file.name for file in listing.found]


def find(root: Path | str, pattern: str) -> Listing:
    return list_files(root, pattern, "corpus.train", ENDINGS)


@pytest.fixture(params=["local", "remote"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path | str:
    """The same files in a folder and in a store."""
    if request.param == "remote":
        objects = {f"mem://bucket/corp[us]/{name}": name.encode() for name in NAMES}
        monkeypatch.setattr(MemoryStore, "OBJECTS", {**objects, "mem://bucket/corp[us]/data/": b""})
        return "mem://bucket/corp[us]/"
    for name in NAMES:
        path = tmp_path / "corp[us]" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "corp[us]"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.txt", ["a.txt"]),
        ("./data/../a.txt", None),
        ("b[1].txt", ["b[1].txt"]),
        ("*.txt", ["a.txt", "b[1].txt"]),
        ("*/*.txt", ["data/one.txt", "database/five.txt"]),
        ("data*/f*", ["database/five.txt"]),
        ("data/**/t*", ["data/more/three.txt.gz", "data/more/two.TXT"]),
        ("**/one.txt", ["data/one.txt"]),
        ("data/[no]*.txt", ["data/one.txt"]),
        ("data", ["data/more/three.txt.gz", "data/more/two.TXT", "data/one.txt"]),
        ("data/more/", ["data/more/three.txt.gz", "data/more/two.TXT"]),
        ("missing.txt", None),
        ("dat", None),
        ("", ["a.txt", "b[1].txt", "data/more/three.txt.gz", "data/more/two.TXT", "data/one.txt", "database/five.txt"]),
    ],
)
def test_names_folders_and_globs(root: Path | str, pattern: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(UserError):
            find(root, pattern)
        return
    listing = find(root, pattern)
    assert names(listing) == expected
    assert [file.size for file in listing.found] == [len(name) for name in expected]
    assert [file.path for file in listing.found] == [f"{str(root).rstrip('/')}/{name}" for name in expected]


def test_what_a_folder_leaves_out_is_reported(root: Path | str) -> None:
    left_out = {one.name: one.reason for one in find(root, "data").left_out}
    assert left_out == {"data/.cache": "hidden", "data/.hidden.txt": "hidden", "data/notes.md": "unknown_ending"}


@pytest.mark.parametrize(
    "pattern", ["../x.txt", "data/../../x.txt", "/etc/passwd", "..", "mem://other/x.txt", "a\0.txt"]
)
def test_a_pattern_that_leads_out_of_the_root_is_refused(root: Path | str, pattern: str) -> None:
    with pytest.raises(UserError, match=r"leads out of corpus\.root|is absolute") as caught:
        find(root, pattern)
    assert caught.value.where == "corpus.train"
    assert caught.value.hint


@pytest.mark.parametrize("pattern", ["missing.txt", "*.jsonl", "data/missing", "a.txt/x"])
def test_nothing_found_names_the_place(root: Path | str, pattern: str) -> None:
    with pytest.raises(UserError, match="no such file in the corpus") as caught:
        find(root, pattern)
    assert caught.value.where == f"{str(root).rstrip('/')}/{pattern}"


def test_a_folder_without_corpus_files_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no corpus file in this folder") as caught:
        find(tmp_path, "empty")
    assert caught.value.where == str(tmp_path / "empty")
    with pytest.raises(UserError, match="no such folder"):
        find(tmp_path / "missing", "a.txt")


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A root next to a file outside of it."""
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    (root / "data/good.txt").write_text("good")
    return root


@pytest.mark.parametrize("pattern", ["link.txt", "*.txt", "."])
def test_a_link_out_of_the_root_is_refused(linked: Path, pattern: str) -> None:
    (linked / "link.txt").symlink_to(linked.parent / "secret.txt")
    with pytest.raises(UserError, match=r"leads out of corpus\.root") as caught:
        find(linked, pattern)
    assert caught.value.where == str(linked / "link.txt")


@pytest.mark.parametrize("pattern", ["out", "out/secret.txt", "out/*.txt"])
def test_a_linked_folder_out_of_the_root_is_refused(linked: Path, pattern: str) -> None:
    (linked / "out").symlink_to(linked.parent)
    with pytest.raises(UserError, match=r"leads out of corpus\.root"):
        find(linked, pattern)


@pytest.mark.parametrize("pattern", [".", "**/*.txt"])
def test_linked_folders_are_not_walked(linked: Path, pattern: str) -> None:
    (linked / "out").symlink_to(linked.parent)
    (linked / "data/loop").symlink_to(linked)
    listing = find(linked, pattern)
    assert names(listing) == ["data/good.txt"]
    if pattern == ".":
        assert listing.left_out == [LeftOut("data/loop", "linked_folder"), LeftOut("out", "linked_folder")]


def test_links_within_the_root_are_files(linked: Path) -> None:
    (linked / "link.txt").symlink_to("data/good.txt")
    (linked / "folder").symlink_to("data")
    listing = find(linked, ".")
    assert names(listing) == ["data/good.txt"]
    assert LeftOut("link.txt", "same_file", "data/good.txt") in listing.left_out
    assert names(find(linked, "link.txt")) == ["link.txt"]
    assert names(find(linked, "folder/good.txt")) == ["folder/good.txt"]


@pytest.mark.parametrize("pattern", ["self.txt", "*.txt", "."])
def test_a_link_to_itself_is_reported(linked: Path, pattern: str) -> None:
    (linked / "self.txt").symlink_to("self.txt")
    with pytest.raises(UserError, match="a symbolic link that leads to itself") as caught:
        find(linked, pattern)
    assert caught.value.where == str(linked / "self.txt")


def test_a_link_to_nothing_is_reported(linked: Path) -> None:
    (linked / "broken.txt").symlink_to("nothing")
    with pytest.raises(UserError, match="cannot be read: No such file") as caught:
        find(linked, ".")
    assert caught.value.where == str(linked / "broken.txt")


def test_pipes_are_no_files(linked: Path) -> None:
    os.mkfifo(linked / "pipe.txt")
    assert find(linked, ".").left_out == [LeftOut("pipe.txt", "no_file")]
    with pytest.raises(UserError, match="no such file"):
        find(linked, "pipe.txt")


@pytest.mark.parametrize("pattern", ["closed/a.txt", "closed", "closed/*.txt", ".", "**/*.txt"])
def test_a_closed_folder_is_named(open_folder: Path, pattern: str) -> None:
    (open_folder / "open.txt").write_text("open")
    (open_folder / "closed").mkdir(mode=0)
    with not_root(), pytest.raises(UserError, match="cannot be read: Permission denied") as caught:
        find(open_folder, pattern)
    assert caught.value.where.startswith(str(open_folder / "closed"))


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a/b.txt", "a/*.txt", True),
        ("a/b.txt", "*.txt", False),
        ("a/b/c.txt", "a/**/*.txt", True),
        ("a/c.txt", "a/**/*.txt", True),
        ("b/a/c.txt", "a/**/*.txt", False),
        ("a/b/c.txt", "a/**", True),
        ("A.txt", "a.txt", False),
    ],
)
def test_globs_match_name_by_name(name: str, pattern: str, expected: bool) -> None:
    assert name_matches(name, pattern) is expected
