from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import MANIFEST, fingerprint, is_finished, publish, read_manifest


def _publish(folder: Path, stamp: str = "s", text: str = "hello") -> None:
    with publish(folder, "records", stamp) as draft:
        (draft.path / "Split-train").mkdir()
        (draft.path / "Split-train" / "data.txt").write_text(text, encoding="utf-8")
        draft.facts["records"] = 3


def test_a_published_folder_says_what_it_holds(tmp_path: Path) -> None:
    _publish(tmp_path / "out")
    found = read_manifest(tmp_path / "out", "records", verify=True)
    assert (found.kind, found.fingerprint, found.facts) == ("records", "s", {"records": 3})
    assert found.files["Split-train/data.txt"]["bytes"] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), publish(tmp_path / "out", "records") as draft:
        (draft.path / "half").write_text("x", encoding="utf-8")
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), publish(tmp_path / "out", "records") as draft:
        (draft.path / "half").write_text("x", encoding="utf-8")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_no_folder_that_looks_finished(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from lstmlm.publish.folder import publish\n"
        "with publish(Path(sys.argv[1]), 'records') as draft:\n"
        "    (draft.path / 'half').write_text('x'); print('writing', flush=True); time.sleep(60)\n"
    )
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    (left,) = tmp_path.glob(".out.partial-*")
    with pytest.raises(UserError, match="not a finished result"):
        read_manifest(left)
    _publish(out)
    read_manifest(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # what was left is gone, the lock too


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match=r"no manifest\.json here"):
        read_manifest(tmp_path)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    _publish(tmp_path / "out")
    with pytest.raises(UserError, match="expected a folder of kind `tokenizer`, found `records`"):
        read_manifest(tmp_path / "out", "tokenizer")


def test_a_broken_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="not a manifest of lstmlm"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("change", "verify"), [("shorter", False), ("gone", False), ("altered", True)])
def test_a_changed_file_is_detected(tmp_path: Path, change: str, verify: bool) -> None:
    _publish(tmp_path / "out")
    file = tmp_path / "out" / "Split-train" / "data.txt"
    if change == "gone":
        file.unlink()
    else:
        file.write_text("hell" if change == "shorter" else "hallo", encoding="utf-8")
    with pytest.raises(UserError, match=r"data\.txt: file is missing or does not match the manifest"):
        read_manifest(tmp_path / "out", verify=verify)


def test_the_same_result_is_found_finished(tmp_path: Path) -> None:
    assert not is_finished(tmp_path / "out", "records", "s")
    (tmp_path / "out").mkdir()
    assert not is_finished(tmp_path / "out", "records", "s")
    _publish(tmp_path / "out")
    assert is_finished(tmp_path / "out", "records", "s")


@pytest.mark.parametrize(("kind", "stamp"), [("records", "other"), ("model", "s")])
def test_another_result_is_never_overwritten(tmp_path: Path, kind: str, stamp: str) -> None:
    _publish(tmp_path / "out")
    with pytest.raises(UserError, match="not empty"):
        is_finished(tmp_path / "out", kind, stamp)
    with pytest.raises(UserError, match=r"not empty|the same result"):
        _publish(tmp_path / "out", stamp, "other")
    assert (tmp_path / "out" / "Split-train" / "data.txt").read_text(encoding="utf-8") == "hello"


def test_the_fingerprint_depends_on_values_not_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert fingerprint("a", "b") != fingerprint("ab")
