"""`lstmlm submit` as its user sees it; the jobs run scripts in the place of lstmlm, so that they take a moment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmlm.jobs.follow import follow
from lstmlm.jobs.server import JobServer
from tests.ray_nodes import RayCluster
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]

Submit = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def submit(ray_cluster: RayCluster, tiny_recipe: Path, root: Path) -> Submit:
    """Starts `lstmlm submit` for a shell script in the place of lstmlm."""

    def start(script: str, *options: str, **variables: str) -> subprocess.Popen[str]:
        path = tiny_recipe.with_name("command.sh")
        path.write_text(script, encoding="utf-8")
        command = [sys.executable, "-m", "lstmlm", "submit", str(tiny_recipe), "--address", ray_cluster.dashboard]
        environment = {**os.environ, "PYTHONPATH": str(root), **variables}
        return subprocess.Popen(
            [*command, "--command", f"/bin/sh {path}", *options],
            cwd=tiny_recipe.parent,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_log_and_exit_code_are_the_jobs_and_its_folder_and_variables_are_those_here(
    submit: Submit, tiny_recipe: Path
) -> None:
    script = 'echo "$PWD $LSTMLM_TEST_SEED $@"; echo a warning >&2; exit 3'
    process = submit(script, "--run-id", "a run", "--set", "seed=${LSTMLM_TEST_SEED}", LSTMLM_TEST_SEED="7")
    out, err = process.communicate()
    assert process.returncode == 3, err
    assert f"{tiny_recipe.parent} 7 run {tiny_recipe} --run-id a run --set seed=${{LSTMLM_TEST_SEED}}\na warning" in out
    assert re.search(r"^lstmlm: submitted the job tiny-\w{16}; Ctrl-C leaves it running$", err, re.MULTILINE)
    assert re.search(
        r"^lstmlm: the job tiny-\w{16} ended with exit code 3; the lines above say why$", err, re.MULTILINE
    )


def test_a_job_that_says_it_succeeded_and_published_nothing_has_not(submit: Submit, tiny_recipe: Path) -> None:
    process = submit("exit 0")
    _, err = process.communicate()
    assert process.returncode == 2
    assert f"succeeded, but its results are not in {tiny_recipe.parent}/runs/tiny on this machine" in err


def test_ctrl_c_leaves_the_job_running_says_how_to_stop_it_and_the_same_command_attaches(
    submit: Submit, tmp_path: Path, ray_cluster: RayCluster
) -> None:
    script = f"echo begins; while ! test -e {tmp_path}/done; do sleep 0.1; done; echo ends; exit 75"
    process = submit(script)
    assert process.stdout is not None
    wait_until(lambda: "begins" in process.stdout.readline(), "the log of the job")  # type: ignore[union-attr]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    stop = re.search(r"interrupted; the job (\S+) continues .* ray job stop --address (\S+) (\S+)$", err, re.MULTILINE)
    assert stop is not None, err
    assert stop[2] == ray_cluster.dashboard
    assert stop[1] == stop[3]
    process = submit(script)
    assert process.stderr is not None
    wait_until(lambda: f"attached to the job {stop[1]}" in process.stderr.readline(), "the second")  # type: ignore[union-attr]
    (tmp_path / "done").touch()
    out, _ = process.communicate()
    assert process.returncode == 75
    assert re.search(r"^begins\n(?:.*\n)*ends$", out, re.MULTILINE)  # Ray's own lines may come between
    assert follow(JobServer(ray_cluster.dashboard, 60.0, print), stop[1], lambda text: None) == 75
