from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmlm.cli.console import RateEstimator, Screen, clock_time
from lstmlm.cli.logs import Terminal

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

HEAVY = ("tensorflow", "apache_beam", "ray", "tfx", "kfp", "matplotlib", "numpy", "sentencepiece")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(f"name: small\ntask: generate\ncorpus:\n  root: {tmp_path}\n  train: a.txt\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("A line.\n", encoding="utf-8")
    return path


def _with_stage(tmp_path: Path, body: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs `lstmlm tokenizer` with the body of its stage replaced."""
    script = tmp_path / "run.py"
    stage = textwrap.indent(textwrap.dedent(body), "    ")
    script.write_text(
        "import errno, os, sys, types\nfrom pathlib import Path\n"
        "from lstmlm.errors import BelowThreshold, TryAgain, UserError\n"
        "from lstmlm.publish.folder import publish, read_manifest\n"
        f"def train_tokenizer(recipe, records, output, progress):\n{stage}\n"
        "module = types.ModuleType('lstmlm.vocabulary.stage')\nmodule.train_tokenizer = train_tokenizer\n"
        "sys.modules['lstmlm.vocabulary.stage'] = module\nfrom lstmlm.cli import main\nmain(sys.argv[1:])\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(script), "tokenizer", tmp_path / "small.yaml", "--records", "r", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        [*map(str, command), "-o", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (["--help"], set()),
        (["train", "--help"], set()),
        (["recipe", "tasks"], set()),
        (["recipe", "docs"], {"numpy", "sentencepiece"}),  # for tasks, whose options it describes
    ],
)
def test_help_imports_nothing_heavy(command: list[str], needed: set[str], root: Path) -> None:
    code = (
        "import sys; sys.argv[0] = 'lstmlm'\nfrom lstmlm.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('HEAVY', sorted(set(sys.modules) & {set(HEAVY) - needed!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_help_names_every_stage_in_order(lstmlm: Lstmlm) -> None:
    text = lstmlm("--help").stdout
    words = [
        "run",
        "compile",
        "ingest",
        "clean",
        "tokenizer",
        "examples",
        "train",
        "export",
        "evaluate",
        "infer",
        "demo-corpus",
    ]
    places = [text.index(f"│ {word} ") for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["ingest"], "Missing argument 'RECIPE'"),
        (["recipe", "check", "absent.yaml"], "absent.yaml: cannot read the recipe"),
        (["run", "absent.yaml", "--stage", "train"], "--stage needs --run-id"),
        (["compile", "x.yaml", "--target", "cron", "-o", "y"], "--target: no target named 'cron'"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(lstmlm: Lstmlm, arguments: list[str], message: str) -> None:
    done = lstmlm(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_fault_of_a_recipe_is_a_line(lstmlm: Lstmlm, recipe: Path) -> None:
    done = lstmlm("recipe", "check", recipe, "--set", "training.stepz=1", "--set", "training.batch=0")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.startswith("lstmlm: --set training.") for line in lines] == [True, True]
    assert "Did you mean `steps`?" in done.stderr


def test_an_unknown_task_names_the_nearest(lstmlm: Lstmlm, recipe: Path) -> None:
    done = lstmlm("recipe", "check", recipe, "--set", "task=generat")
    assert (done.returncode, done.stderr) == (
        2,
        "lstmlm: --set task: task: no task named 'generat'. Did you mean `generate`?\n",
    )
    assert lstmlm("recipe", "check", recipe).returncode == 0


def test_recipe_tasks_lists_each_with_its_purpose(lstmlm: Lstmlm) -> None:
    lines = lstmlm("recipe", "tasks").stdout.splitlines()
    assert {"generate", "summarize", "translate"} <= {line.split()[0] for line in lines}
    assert all(len(line.split()) > 2 for line in lines)


def test_a_stage_shows_its_result_and_keeps_chatter_in_the_log(tmp_path: Path, recipe: Path) -> None:
    body = """
        if (output / "manifest.json").is_file():
            return read_manifest(output)
        os.write(2, b"chatter from C\\n"); print("chatter from Python")
        progress.update(5, 10, unit="pieces", note="loss 1")
        with publish(output, "tokenizer", "s") as draft:
            draft.facts["vocabulary"] = 10
        return read_manifest(output)
    """
    done = _with_stage(tmp_path, body)
    assert done.returncode == 0, done.stderr
    assert "chatter" not in done.stdout + done.stderr
    assert "tokenizer: 5/10 pieces · loss 1" in done.stderr
    assert ["tokenizer", "ran"] in [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["vocabulary", "10"] in [line.split() for line in done.stdout.splitlines()]
    log = (tmp_path / "out.log").read_text(encoding="utf-8")
    assert "chatter from C\n" in log
    assert "chatter from Python\n" in log
    again = _with_stage(tmp_path, body)
    assert ["tokenizer", "cached"] in [line.split()[:2] for line in again.stdout.splitlines()]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("raise UserError('too few records', where='r', hint='Add some')", 2, "r: too few records. Add some"),
        ("raise BelowThreshold('perplexity 900 > 100')", 3, "perplexity 900 > 100"),
        ("raise TryAgain('a lock is held')", 75, "a lock is held"),
        ("raise RuntimeError('wrapped') from UserError('the column is empty')", 2, "the column is empty"),
        ("raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'x')", 2, "the disk is full"),
        ("raise RuntimeError('x: No space left on device [Op:Write]')", 2, "the disk is full"),
        ("raise PermissionError(13, 'denied', 'folder/x')", 2, "folder/x: permission denied"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("raise ValueError('a bug\\nof two lines')", 1, "internal error (ValueError: a bug); see "),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(
    tmp_path: Path, recipe: Path, body: str, code: int, message: str
) -> None:
    done = _with_stage(tmp_path, body)
    assert done.returncode == code
    lines = [line for line in done.stderr.splitlines() if line.startswith("lstmlm: ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"lstmlm: {message}")
    assert "Traceback" not in done.stdout + done.stderr
    report = tmp_path / "out.failure.json"
    assert (json.loads(report.read_text(encoding="utf-8"))["exit_code"] if report.exists() else 130) == code
    if code == 1:
        log = Path(lines[0].rpartition("; see ")[2])
        assert "Traceback" in log.read_text(encoding="utf-8")


def test_termination_removes_what_is_half_written(tmp_path: Path, recipe: Path) -> None:
    body = f"""
        with publish(output, "tokenizer") as draft:
            (draft.path / "half").write_text("x")
            os.kill(os.getpid(), {int(signal.SIGTERM)})
            import time; time.sleep(30)
    """
    done = _with_stage(tmp_path, body)
    assert done.returncode == 128 + signal.SIGTERM
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out.log", "run.py", "small.yaml"]


def test_workers_is_an_override_of_the_recipe(lstmlm: Lstmlm, recipe: Path, tmp_path: Path) -> None:
    folders = ["--examples", "e", "--tokenizer", "t", "-o", tmp_path / "o"]
    assert lstmlm("train", recipe, "--workers", "0", *folders).returncode == 2
    assert (
        "must be a whole number > 0" in lstmlm("train", recipe, "--set", "training.workers=x", *folders).stderr.lower()
    )


def test_the_meter_shows_rate_and_time_left() -> None:
    times = iter([0.0, 10.0, 20.0, 30.0, 40.0])
    estimator = RateEstimator(lambda: next(times))
    assert estimator.status(100, 400, "steps", "") == "100/400 steps"
    assert estimator.status(120, 400, "steps", "loss 4.2") == "120/400 steps · 2.0 steps/s · 2:20 left · loss 4.2"
    assert estimator.status(10, 50, "batches", "") == "10/50 batches"
    assert estimator.status(3000, None, "batches", "") == "3,000 batches · 299 batches/s"
    assert estimator.status(5, None, "", "") == "5"


def test_the_time_before_the_first_unit_is_not_counted_into_the_rate() -> None:
    times = iter([0.0, 90.0, 100.0])
    estimator = RateEstimator(lambda: next(times))
    assert estimator.status(0, 400, "steps", "starting the workers") == "0/400 steps · starting the workers"
    assert estimator.status(10, 400, "steps", "") == "10/400 steps"
    assert estimator.status(30, 400, "steps", "") == "30/400 steps · 2.0 steps/s · 3:05 left"


def test_clock_time() -> None:
    assert [clock_time(s) for s in (0, 59.6, 133, 3733)] == ["0:00", "1:00", "2:13", "1:02:13"]


def test_the_screen_writes_values_as_they_are(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as out, (tmp_path / "err").open("w") as err:
        with Screen(Terminal(out, err)) as screen:
            screen.pairs("metric", {"perplexity": 123.456789, "signature": "[bold]x[/bold]"})
            screen.line(json.dumps({"output": "[red]" + "long " * 60}))
        out.seek(0)
        lines = out.read().splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["metric"],
        ["perplexity", "123.5"],
        ["signature", "[bold]x[/bold]"],
    ]
    assert len(lines) == 4
