"""Ray starts at once also where its Python programs take long to start, and a failed start leaves nothing."""

import os
import subprocess
import sys

import psutil
import pytest

from lstmlm.training.workers.ray_start import end_processes


def run(code, *places):
    """Runs code in a process of its own, with further places that it imports from."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*map(str, places), os.getcwd()])}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=400)


def test_what_a_failed_start_leaves_is_ended(tmp_path):
    ours, other = (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", str(folder)])
        for folder in (tmp_path / "cluster", tmp_path / "another")
    )
    try:
        end_processes(tmp_path / "cluster")
        assert not psutil.pid_exists(ours.pid)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.ray
def test_agents_that_start_slowly_are_waited_for(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n"
        "command = open('/proc/self/cmdline', 'rb').read()\n"
        "if b'agent/main.py' in command or b'dashboard/agent.py' in command:\n"
        "    time.sleep(20)\n"  # longer than the 15 s that Ray waits for the file of an agent's port
    )
    code = (
        "import ray\n"
        "from lstmlm.training.workers import local_ray\n"
        "local_ray.STARTS = 1\n"
        "with local_ray.local_cluster(1):\n"
        "    print(ray.get(ray.remote(lambda: 'a task was run').remote()))\n"
    )
    done = run(code, tmp_path)
    assert "a task was run" in done.stdout, done.stderr


@pytest.mark.ray
def test_a_process_can_start_one_cluster_after_another():
    code = (
        "import ray\n"
        "from lstmlm.training.workers.local_ray import local_cluster\n"
        "for name in ('first', 'second'):\n"
        "    with local_cluster(1):\n"
        "        print(ray.get(ray.remote(lambda: f'task of the {name}').remote()))\n"
    )
    done = run(code)
    assert done.stdout.split("\n")[:2] == ["task of the first", "task of the second"], done.stderr
