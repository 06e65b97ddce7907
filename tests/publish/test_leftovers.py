"""Two writers of one output, and writers that are killed: real processes, real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import claimed, is_finished, publish, read_manifest, replacing

WRITE = """
import sys
from pathlib import Path
from lstmlm.publish.folder import publish
with publish(Path(sys.argv[1]), "records", "s") as draft:
    (draft.path / "half").write_text("x")
    print("writing", flush=True)
    sys.stdin.readline()
"""

Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start(root: Path) -> Iterator[Start]:
    """Starts a process that writes an output and waits for a line before it publishes."""
    with ExitStack() as stack:

        def run(output: Path) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", WRITE, str(output)]
            process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            return process

        yield run


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def put(output: Path) -> None:
    with publish(output, "records", "s") as draft:
        (draft.path / "whole").write_text("x")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("inside", [False, True])
def test_the_second_of_two_writers_is_refused_before_it_works(start: Start, tmp_path: Path, inside: bool) -> None:
    out = tmp_path / "out"
    if inside:
        (out / "lost+found").mkdir(parents=True)
    first = start(out)
    with (
        pytest.raises(UserError, match=rf"out: another process is at work here \(process {first.pid} on "),
        claimed(out, "records", "s"),
    ):
        raise AssertionError("the work began")
    first.communicate("\n", timeout=60)
    assert first.returncode == 0
    assert list(read_manifest(out, verify=True).files) == ["half"]
    assert not [name for name in names(tmp_path) + names(out) if name.startswith(".")]


def test_the_result_of_a_writer_that_was_just_quicker_is_not_touched(tmp_path: Path) -> None:
    put(tmp_path / "out")
    with (
        pytest.raises(UserError, match="Run again: there is nothing left to do"),
        publish(tmp_path / "out", "records", "s"),
    ):
        raise AssertionError("the work began")


@pytest.mark.parametrize("inside", [False, True])
def test_what_a_killed_writer_left_is_gone_after_the_next(start: Start, tmp_path: Path, inside: bool) -> None:
    out = tmp_path / "out"
    if inside:
        (out / "lost+found").mkdir(parents=True)
    kill(start(out))
    assert any(".partial-" in path.name for path in tmp_path.rglob("*"))
    put(out)
    assert names(tmp_path) == ["out"]
    assert names(out) == ["lost+found", "manifest.json", "whole"][not inside :]


def test_what_killed_writers_of_other_outputs_left_goes_too_and_what_the_living_write_stays(
    start: Start, tmp_path: Path
) -> None:
    kill(start(tmp_path / "dead"))
    living = start(tmp_path / "living")
    put(tmp_path / "out")
    assert not any(name.startswith(".dead.partial-") for name in names(tmp_path))
    living.communicate("\n", timeout=60)
    assert living.returncode == 0
    read_manifest(tmp_path / "living", verify=True)


def test_drafts_named_by_a_process_id_only_are_swept_as_well(tmp_path: Path) -> None:
    (tmp_path / f".out.partial-{os.getpid()}").mkdir()  # of an earlier release; the id is in use again
    put(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_a_half_written_companion_of_an_output_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".out.metrics.json.partial-123").write_text("{")
    (tmp_path / ".other.metrics.json.partial-123").write_text("{")
    put(tmp_path / "out")
    assert names(tmp_path) == [".other.metrics.json.partial-123", "out"]


def test_files_of_others_are_never_taken_for_leftovers(tmp_path: Path) -> None:
    kept = [".partial-notes", ".out.partial-report", ".x.partial-12x", "out.partial-12"]
    for name in kept:
        (tmp_path / name).mkdir() if name != ".partial-notes" else (tmp_path / name).write_text("x")
    put(tmp_path / "out")
    assert set(kept) <= set(names(tmp_path))


def test_a_failed_write_of_a_file_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a", durable=True) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_what_a_writer_left_that_died_right_after_publishing_goes_with_the_next_look(tmp_path: Path) -> None:
    put(tmp_path / "out")
    (tmp_path / ".out.lock").touch()
    (tmp_path / ".out.partial-12-0123abcd").mkdir()
    (tmp_path / ".out.work").mkdir()
    assert is_finished(tmp_path / "out", "records", "s")
    assert names(tmp_path) == ["out"]
