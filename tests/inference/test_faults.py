"""The batch job under faults that are real: killed processes, a full disk, a record that no model can take."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.inference.work import held
from lstmlm.progress import Silent
from lstmlm.recipe.file import load_recipe
from lstmlm.recipe.recipe import Recipe

pytestmark = pytest.mark.slow

MakeRecipe = Callable[..., Recipe]

RECORDS = 10_000
POISONED = 4321


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand records, on one of which the model fails."""
    path = tmp_path_factory.mktemp("input") / "in.jsonl"
    texts = [f"text {n}" + " POISON" * (n == POISONED) for n in range(RECORDS)]
    path.write_text("".join(json.dumps({"text": text, "id": f"id-{n}"}) + "\n" for n, text in enumerate(texts)))
    return path


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text("name: faults\ntask: generate\ncorpus: {train: none.txt}\ninference: {id: id, shards: 3}\n")
    return path


@pytest.fixture(scope="module")
def undisturbed(shouter: Path, input_file: Path, recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a job that nothing happens to."""
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    infer(load_recipe(recipe_file, ()), shouter, output, Silent(), input=input_file)
    return output


class Job:
    """`lstmlm infer` in a process of its own."""

    def __init__(self, recipe: Path, export: Path, input: Path, output: Path, *more: str) -> None:
        self.work = output.parent / f".{output.name}.work"
        self._log = export.parent / f"{output.parent.name}.txt"  # not where the disk may be full
        words = ["infer", recipe, "--export", export, "--input", input, "-o", output, *more]
        command = [sys.executable, "-m", "lstmlm", *map(str, words)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"}
        with self._log.open("w") as stream:
            self.process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)

    def finish(self) -> int:
        return self.process.wait(300)

    def said(self) -> str:
        return self._log.read_text()

    def wait_until(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + 240
        while not (found := condition()):
            assert self.process.poll() is None, f"ended before {what}: {self.said()}"
            assert time.monotonic() < deadline, f"waited for {what}: {self.said()}"
            time.sleep(0.01)
        return found

    def chunks_done(self) -> int:
        return len(list(self.work.glob("done/*.facts")))

    def workers(self) -> list[psutil.Process]:
        """Returns the worker processes: forked by the server that the job started for it."""
        servers = psutil.Process(self.process.pid).children()
        return [
            worker for server in servers if "forkserver" in " ".join(server.cmdline()) for worker in server.children()
        ]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_one_poisoned_record_in_ten_thousand_is_isolated(undisturbed: Path) -> None:
    facts = json.loads((undisturbed / "manifest.json").read_text())["facts"]
    assert (facts["records"], facts["outputs"], facts["dead_letters"]) == (RECORDS, RECORDS - 1, 1)
    letter = json.loads((undisturbed / "dead_letters.jsonl").read_text())
    assert letter["id"] == f"id-{POISONED}"
    assert letter["line"] == POISONED + 1
    ids = [json.loads(line)["id"] for file in sorted(undisturbed.glob("pred*")) for line in file.open()]
    assert ids == [f"id-{n}" for n in range(RECORDS) if n != POISONED]


def test_a_killed_job_goes_on_where_it_was(
    shouter: Path, input_file: Path, recipe_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    arguments = (recipe_file, shouter, input_file, tmp_path / "out")
    job = Job(*arguments)
    job.wait_until(job.chunks_done, "a chunk is done")
    job.process.send_signal(signal.SIGKILL)
    job.process.wait()
    assert not (tmp_path / "out").exists()
    kept = job.chunks_done()
    resumed = Job(*arguments)  # the same command
    assert resumed.finish() == 0, resumed.said()
    assert contents(tmp_path / "out") == contents(undisturbed)
    decoded = json.loads((tmp_path / "out.metrics.json").read_text())["records"]
    assert 0 < decoded <= RECORDS - 100 * kept  # no chunk has fewer records
    assert not resumed.work.exists()


def test_workers_that_are_killed_are_replaced(
    shouter: Path, input_file: Path, recipe_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    job = Job(recipe_file, shouter, input_file, tmp_path / "out", "--runner", "processes", "--workers", "2")
    job.wait_until(job.chunks_done, "a chunk is done")
    killed = job.workers()[0]
    killed.kill()
    job.wait_until(lambda: job.workers() and killed not in job.workers(), "another worker")
    assert job.finish() == 0, job.said()
    assert contents(tmp_path / "out") == contents(undisturbed)


def test_workers_end_with_a_job_that_is_killed(
    shouter: Path, input_file: Path, recipe_file: Path, tmp_path: Path
) -> None:
    job = Job(recipe_file, shouter, input_file, tmp_path / "out", "--runner", "processes", "--workers", "2")
    workers = job.wait_until(job.workers, "workers")
    job.process.kill()
    job.process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def test_work_without_a_plan_is_removed(shouter: Path, recipe: MakeRecipe, input_file: Path, tmp_path: Path) -> None:
    left = tmp_path / ".out.work" / "done"
    left.mkdir(parents=True)
    (left / "000000.facts").write_text("of another time")
    small = tmp_path / "in.jsonl"
    small.write_text('{"text": "a"}\n')
    infer(recipe(), shouter, tmp_path / "out", Silent(), input=small)
    assert not left.exists()
    assert json.loads((tmp_path / "out" / "predictions-00000-of-00002.jsonl").read_text())["source"] == "a"


def test_work_of_another_job_is_reported_and_removed_or_with_resume_refused(
    shouter: Path, recipe: MakeRecipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "POISON"}\n{"text": "a"}\n')
    with pytest.raises(UserError, match="1 of 2 records failed"):
        infer(recipe(), shouter, tmp_path / "out", Silent(), input=path)
    path.write_text('{"text": "b"}\n')
    with pytest.raises(UserError, match=r"of another job.*leave out --resume") as caught:
        infer(recipe(), shouter, tmp_path / "out", Silent(), input=path, resume=True)
    assert "\n" not in str(caught.value)
    infer(recipe(), shouter, tmp_path / "out", Silent(), input=path)
    assert "chunks are done, of a job with another model, input or recipe: removed" in caplog.text
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_files_that_no_job_writes_are_not_removed(shouter: Path, recipe: MakeRecipe, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n')
    mine = tmp_path / ".out.work" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("keep")
    with pytest.raises(UserError, match=r"holds 'mine\.txt', which is not a file of this job"):
        infer(recipe(), shouter, tmp_path / "out", Silent(), input=path)
    assert mine.read_text() == "keep"


def test_an_output_folder_that_another_job_works_on_is_refused(
    shouter: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n')
    with held(tmp_path / "out", "another", resume=False), pytest.raises(UserError, match="another process is at work"):
        infer(recipe(), shouter, tmp_path / "out", Silent(), input=path)


def test_a_full_disk_is_line_in_one_line_and_nothing_is_lost(
    shouter: Path, input_file: Path, recipe_file: Path, undisturbed: Path, small_disk: Path
) -> None:
    arguments = (recipe_file, shouter, input_file, small_disk / "out")
    job = Job(*arguments)
    assert job.finish() == 2, job.said()
    line = job.said().splitlines()[-1]  # by the job, or by its log, which is on this disk too
    assert re.fullmatch(r"lstmlm: .*(no space left on the disk|the disk is full).*", line)
    kept = job.chunks_done()
    assert kept > 0
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    resumed = Job(*arguments, "--resume")
    assert resumed.finish() == 0, resumed.said()
    assert contents(small_disk / "out") == contents(undisturbed)
