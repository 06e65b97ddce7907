"""Output folders that are links, mounted volumes, read-only or URLs: filled, or refused in one line before any work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import MANIFEST, claimed, is_finished, publish, read_manifest
from lstmlm.publish.places import check_local, companion, site_of


def put(folder: Path, text: str = "hello") -> None:
    with publish(folder, "records", "s") as draft:
        (draft.path / "Split-train").mkdir()
        (draft.path / "Split-valid").mkdir()
        (draft.path / "Split-train" / "data.txt").write_text(text, encoding="utf-8")
        draft.facts["records"] = 3


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


WHOLE = ["Split-train", "Split-valid", MANIFEST]


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A mounted, empty file system."""
    folder = tmp_path / "volume"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """A folder of this file system that is mounted upon another."""
    folder, source = tmp_path / "with space", tmp_path / "source"
    folder.mkdir()
    source.mkdir()
    mounted = subprocess.run(["mount", "--bind", str(source), str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_mounted_volume_is_filled(volume: Path) -> None:
    put(volume)
    assert names(volume) == WHOLE
    assert is_finished(volume, "records", "s")
    assert names(volume.parent) == ["volume"]


def test_a_bound_folder_is_filled(bound: Path) -> None:
    put(bound)
    assert names(bound) == WHOLE


def test_a_folder_inside_of_a_volume_is_renamed_into_place(volume: Path) -> None:
    put(volume / "a" / "out")
    assert names(volume / "a") == ["out"]


def test_a_fresh_volume_with_lost_and_found_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "out" / "lost+found").mkdir(parents=True)
    put(tmp_path / "out")
    assert names(tmp_path / "out") == [*WHOLE[:2], "lost+found", MANIFEST]


@pytest.mark.parametrize("there", [True, False], ids=["to a folder", "to nothing yet"])
def test_a_symbolic_link_stays_one(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "disk" / "target"
    target.parent.mkdir()
    if there:
        target.mkdir()
    (tmp_path / "out").symlink_to(target)
    put(tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert names(target) == WHOLE
    assert is_finished(tmp_path / "out", "records", "s")


def test_an_empty_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o2770)
    put(tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o2770
    assert names(tmp_path / "out") == WHOLE


def test_the_current_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(Path())
    assert names(tmp_path) == WHOLE


AS_NOBODY = """
import os, sys
from pathlib import Path
from lstmlm.publish.places import companion
from tests.publish.test_places import names, put
out = Path(sys.argv[1])
os.setuid(65534)
put(out)
print(*names(out), companion(out, ".log").parent == out.parent)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_where_only_the_output_can_be_written_all_goes_inside(root: Path) -> None:
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        out = Path(parent) / "out"
        out.mkdir()
        out.chmod(0o777)
        command = [sys.executable, "-c", AS_NOBODY, str(out)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
        assert done.stdout.split() == [*WHOLE, "False"], done.stderr
        assert names(Path(parent)) == ["out"]


KILLED = """
import os, signal, sys
from pathlib import Path
import lstmlm.publish.folder as publish
from tests.publish.test_places import put
plain, left = os.replace, int(sys.argv[2])
def replace(source, target):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    plain(source, target)
os.replace = replace
put(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moves", range(5))
def test_a_writer_killed_between_two_moves_leaves_nothing_in_the_way(tmp_path: Path, root: Path, moves: int) -> None:
    (tmp_path / "out" / "lost+found").mkdir(parents=True)  # so that it is written in place
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out"), str(moves)], cwd=root, timeout=60)
    finished = moves == 4  # the manifest of the draft, two folders, the manifest
    assert done.returncode == (0 if finished else -9)
    assert is_finished(tmp_path / "out", "records", "s") == finished
    if not finished:
        put(tmp_path / "out")
    assert names(tmp_path / "out") == [*WHOLE[:2], "lost+found", MANIFEST]


def test_another_file_in_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out" / "lost+found").mkdir(parents=True)
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"), publish(tmp_path / "out", "records"):
        pass
    assert names(tmp_path / "out") == ["lost+found", "mine.txt"]


@pytest.fixture
def read_only(tmp_path: Path, volume: Path) -> Path:
    (volume / "there").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
    return volume


@pytest.mark.parametrize("name", ["new", "there", "new/deeper"])
def test_a_read_only_place_is_refused_before_any_work(read_only: Path, name: str) -> None:
    with (
        pytest.raises(UserError, match="cannot write here: this file system is read-only"),
        claimed(read_only / name, "records"),
    ):
        raise AssertionError("the work began")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("file/out", "a file is in the way"), ("n" * 250, "the name is too long"), ("circle/out", "in a circle")],
)
def test_an_impossible_place_is_refused_before_any_work(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UserError, match=reason), claimed(tmp_path / name, "records"):
        raise AssertionError("the work began")


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="something else was put into the output"), publish(tmp_path / "out", "a") as d:
        (d.path / "x").write_text("x")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "theirs").write_text("y")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["theirs"]


def test_a_draft_on_another_file_system_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    import lstmlm.publish.folder

    (tmp_path / "out").mkdir()
    plain = os.replace

    def busy(source: Path, target: Path) -> None:
        if Path(target) == tmp_path / "out":
            raise OSError(errno.EBUSY, "Device or resource busy")
        plain(source, target)

    monkeypatch.setattr(lstmlm.publish.folder.os, "replace", busy)
    put(tmp_path / "out")
    assert names(tmp_path / "out") == WHOLE
    read_manifest(tmp_path / "out", verify=True)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "url",
    ["s3://bucket/out", "gs://bucket/out", "hdfs://name:9000/x", "http://host/x", "S3://b", "abfss://c@a.dfs/x"],
)
def test_urls_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    for named in (url, Path(url)):
        with pytest.raises(UserError, match="only folders of this machine"):
            check_local(named)
    with pytest.raises(UserError, match="only folders of this machine"), publish(Path(url), "records"):
        pass
    assert names(tmp_path) == []


def test_a_file_url_names_the_path_to_write() -> None:
    with pytest.raises(UserError, match="Write it as /data/out"):
        check_local(Path("file:///data/out"))


@pytest.mark.parametrize("path", ["out", "./s3/out", "a:b/out", "C:/out", "data s3://x", "/abs/s3:/x"])
def test_paths_are_paths(path: str) -> None:
    check_local(path)
    check_local(Path(path))


def test_a_folder_that_looks_like_a_url_and_exists_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run1:").mkdir()
    check_local(Path("run1:/out"))


def test_files_next_to_an_output(tmp_path: Path) -> None:
    assert companion(tmp_path / "out", ".log") == tmp_path / "out.log"
    assert site_of(tmp_path / "out").hidden("lock") == tmp_path / ".out.lock"
