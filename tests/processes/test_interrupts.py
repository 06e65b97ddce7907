"""Ctrl-C in a real terminal: one line, exit code 130, nothing half-written, whatever a library makes of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.replaced_stage import WORDS, write_program
from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], Terminal]:
    """Starts `lstmlm tokenizer` at a terminal, the body of its stage replaced."""

    def begin(body: str) -> Terminal:
        write_program(tmp_path, body, supervised=False)
        return Terminal([sys.executable, *WORDS], tmp_path)

    return begin


HALF = """
with publish(output, "tokenizer") as draft:
    (draft.path / "half").write_text("x")
    Path("/dev/tty").write_text("READY")
    {body}
"""

RESUME = "to resume, run: lstmlm tokenizer small.yaml --records r -o out"


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"out.log", "run.py", "small.yaml"}


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(60)",
        "threading.Event().wait()",
        # as a library that wraps what it catches
        """try: time.sleep(60)
    except BaseException as error: raise RuntimeError("step failed") from None""",
        """try: time.sleep(60)
    except BaseException as error: raise UserError("the input is bad")""",
        # as a library that swallows it, and one that leaves a handler of its own behind
        """try: time.sleep(60)
    except BaseException as error: pass""",
    ],
    ids=["sleeping", "waiting", "wrapped", "as a fault of the user", "swallowed"],
)
def test_ctrl_c_is_130_with_the_command_that_resumes(
    start: Callable[[str], Terminal], tmp_path: Path, body: str
) -> None:
    program = start(HALF.format(body=body))
    program.read_until("READY")
    program.press(b"\x03")
    assert program.wait() == 130
    assert program.said == [f"lstmlm: interrupted; finished work is kept; {RESUME}"]
    assert "Traceback" not in program.seen
    assert left(tmp_path) <= {"out"}  # what swallowed it finished, and published


def test_ctrl_c_before_anything_is_imported(tmp_path: Path) -> None:
    """Typer is slow to import here: the signal comes in the middle of it."""
    (tmp_path / "typer.py").write_text('open("/dev/tty", "w").write("READY")\nimport time\ntime.sleep(60)\n')
    code = "import sys; sys.path.insert(0, '.'); from lstmlm.cli import main; main(['recipe', 'tasks'])"
    program = Terminal([sys.executable, "-c", code], tmp_path)
    program.read_until("READY")
    program.press(b"\x03")
    assert program.wait() == 130
    assert program.said == ["lstmlm: interrupted; finished work is kept; to resume, run: lstmlm recipe tasks"]
    assert "Traceback" not in program.seen


def test_a_second_ctrl_c_ends_at_once(start: Callable[[str], Terminal], tmp_path: Path) -> None:
    """The way out takes long, as where a cluster does not answer."""
    program = start(
        HALF.format(
            body="""
    try: time.sleep(60)
    finally:
        Path("/dev/tty").write_text("CLOSING")
        time.sleep(60)
    """
        )
    )
    program.read_until("READY")
    program.press(b"\x03")
    program.read_until("CLOSING")
    started = time.monotonic()
    program.press(b"\x03")
    assert program.wait() == 130
    assert time.monotonic() - started < 20  # and not the 60 of the way out
    assert program.said == [f"lstmlm: interrupted; finished work is kept; {RESUME}"]
    assert "\x1b[?25h" in program.seen  # the cursor that the progress line had hidden


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_that_end_a_process_unwind_too(
    start: Callable[[str], Terminal], tmp_path: Path, number: signal.Signals
) -> None:
    program = start(HALF.format(body="time.sleep(60)"))
    program.read_until("READY")
    os.kill(program.pid, number)
    assert program.wait() == 128 + number
    assert program.said == [f"lstmlm: stopped by {number.name}; finished work is kept; {RESUME}"]
    assert left(tmp_path) == set()


def test_a_closed_terminal_leaves_nothing_half_written(start: Callable[[str], Terminal], tmp_path: Path) -> None:
    program = start(HALF.format(body="time.sleep(60)"))
    program.read_until("READY")
    program.hang_up()
    assert program.exit_code() == 128 + signal.SIGHUP
    assert left(tmp_path) == set()


def test_what_a_process_was_started_to_ignore_stays_ignored(tmp_path: Path) -> None:
    code = (
        "import signal\nfor n in (signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\n"
        "from lstmlm.processes import interrupts\ninterrupts.install('x')\n"
        "signal.raise_signal(signal.SIGINT); signal.raise_signal(signal.SIGHUP)\n"
        "assert interrupts.received() is None\n"
        "try:\n    signal.raise_signal(signal.SIGTERM)\nexcept interrupts.Interrupted:\n    print('TERM')\n"
    )
    program = Terminal([sys.executable, "-c", code], tmp_path)
    assert program.wait() == 0
    assert "TERM" in program.seen


def test_handlers_that_a_library_leaves_behind_are_put_back() -> None:
    from lstmlm.processes.interrupts import keeping_handlers

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with keeping_handlers():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: None)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_main_thread_that_runs_no_handler_is_left_after_a_while(tmp_path: Path) -> None:
    """C code that holds the main thread, such as the training of a vocabulary, lets no handler of Python's run."""
    code = (
        "import hashlib\nfrom lstmlm.processes import interrupts\ninterrupts.HANDLED_SECONDS = 0.2\n"
        "interrupts.install('x')\nprint('READY', flush=True)\n"
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**30)\n"
    )
    program = Terminal([sys.executable, "-c", code], tmp_path)
    program.read_until("READY")
    program.press(b"\x03")
    assert program.wait() == 130


BEAM = """
import apache_beam as beam
from lstmlm.runners.pipeline import run_pipeline
from lstmlm.runners.runner import Runner
def slow(number):
    import os, time
    from pathlib import Path
    with open("pids", "a") as stream: stream.write(f"{{os.getpid()}}\\n")
    Path("/dev/tty").write_text("READY")
    time.sleep(60)
with publish(output, "tokenizer") as draft:
    run_pipeline(lambda pipeline: pipeline | beam.Create([1, 2]) | beam.Reshuffle() | beam.Map(slow), Runner({runner}))
"""


@pytest.mark.parametrize("runner", ['"direct"', pytest.param('"processes", 2', marks=pytest.mark.slow)])
def test_ctrl_c_inside_a_pipeline_leaves_no_worker_behind(
    start: Callable[[str], Terminal], tmp_path: Path, runner: str
) -> None:
    program = start(BEAM.format(runner=runner))
    program.read_until("READY")
    program.press(b"\x03")
    assert program.wait() == 130
    assert program.said == [f"lstmlm: interrupted; finished work is kept; {RESUME}"]
    assert left(tmp_path) == {"pids"}
    workers = map(int, (tmp_path / "pids").read_text(encoding="utf-8").split())
    wait_until(lambda: not any(map(psutil.pid_exists, workers)), "the workers to end", 30)
