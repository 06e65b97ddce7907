"""A command in a control group with too little memory, and its signals: real kills by the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lstmlm.processes.memory import MemoryGroup
from tests.memory_limit import enter, limited_group
from tests.replaced_stage import WORDS, write_program
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 200 << 20
WAITS = """
Path("pids").write_text(f"{os.getpid()} {os.getppid()}")
try:
    time.sleep(600)
finally:
    time.sleep(0.5)  # a signal that came twice would end the process here
    Path("unwound").write_text("x")
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def group() -> Iterator[MemoryGroup]:
    """A control group with little memory."""
    with limited_group(LIMIT) as made:
        yield made


@pytest.fixture
def start(tmp_path: Path, group: MemoryGroup) -> Iterator[Start]:
    """Starts `lstmlm tokenizer` in the group, in a process group of its own; the body of its stage is replaced."""
    started: list[subprocess.Popen[str]] = []

    def begin(body: str) -> subprocess.Popen[str]:
        write_program(tmp_path, body, supervised=True)
        process = subprocess.Popen(
            [sys.executable, *WORDS],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: enter(group),
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, printed = process.communicate(timeout=120)
    return process.returncode, "".join(line for line in printed.splitlines(True) if line.startswith("lstmlm: "))


def report(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "out.failure.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_a_process_that_the_kernel_ends_is_reported_with_the_limit(start: Start, tmp_path: Path) -> None:
    code, said = ended(start("print('read the records', flush=True)\nx = [bytearray(1 << 20) for _ in range(1000)]"))
    cause = "out of memory: the kernel ended a process at the limit of 200Mi"
    hint = "Raise the limit; fewer workers, or a smaller `training.batch`, need less"
    assert (code, said) == (137, f"lstmlm: {cause}. {hint}\n")
    found = report(tmp_path)
    assert (found["stage"], found["cause"], found["exit_code"]) == ("tokenizer", cause, 137)
    assert found["what_to_do"] == hint
    assert found["last_lines"][-1] == "read the records"


def test_a_worker_that_the_kernel_ends_is_reported_by_the_command(start: Start, tmp_path: Path) -> None:
    body = """
    code = "x = [bytearray(1 << 20) for _ in range(1000)]"
    if subprocess.run([sys.executable, "-c", code]).returncode:
        raise RuntimeError("a worker is lost")
    """
    code, said = ended(start(body))
    cause = "out of memory: the kernel ended a process at the limit of 200Mi (a worker is lost)"
    assert code == 75
    assert said.startswith(f"lstmlm: {cause}. Raise the limit;")
    assert (report(tmp_path)["cause"], report(tmp_path)["exit_code"]) == (cause, 75)


def test_a_kill_by_someone_is_not_put_down_to_memory(start: Start, tmp_path: Path) -> None:
    code, said = ended(start("os.kill(os.getpid(), signal.SIGKILL)"))
    assert (code, said) == (137, "lstmlm: the process was ended by SIGKILL. Run the same command again: it resumes\n")
    assert report(tmp_path)["cause"] == "the process was ended by SIGKILL"


@pytest.mark.parametrize("to_group", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_working_process_once(
    start: Start, tmp_path: Path, number: signal.Signals, to_group: bool
) -> None:
    process = start(WAITS)
    wait_until(lambda: (tmp_path / "pids").exists(), "the stage to begin")
    (os.killpg if to_group else os.kill)(process.pid, number)
    code, said = ended(process)
    assert code == 128 + number
    assert said.count("\n") == 1
    assert (tmp_path / "unwound").exists()
    assert not (tmp_path / "out.failure.json").exists()


def test_the_working_process_ends_with_its_parent(start: Start, tmp_path: Path) -> None:
    process = start(WAITS)
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text(), "the stage to begin")
    child, parent = map(int, (tmp_path / "pids").read_text(encoding="ascii").split())
    assert parent == process.pid
    process.kill()
    process.communicate()
    wait_until(lambda: not psutil.pid_exists(child), "the working process to end", 30)


def test_the_exit_code_of_a_mistake_stays(start: Start) -> None:
    code, said = ended(start("from lstmlm.errors import UserError\nraise UserError('no such field')"))
    assert (code, said) == (2, "lstmlm: no such field\n")


def test_without_a_limit_there_is_no_second_process(tmp_path: Path) -> None:
    code = "import os\nfrom lstmlm.processes import memory, supervisor\nmemory.MemoryGroup.limit = lambda self: None\n"
    code += "assert supervisor.continue_in_child(print) is None\nprint(os.getppid())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == os.getpid()
