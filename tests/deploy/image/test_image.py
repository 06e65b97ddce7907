"""The image of `deploy/docker`: built from the Dockerfile as it is, small, without rights; a recipe runs in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.image.engine import SAFE

if TYPE_CHECKING:
    import subprocess

    from tests.deploy.image.engine import Engine

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]
MOST_MEGABYTES = 2500
RUN = ("lstmlm", "run", "tiny.yaml")


def contained(engine: Engine, image: str, data: Path, memory: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a container as a Pod would: without rights, without a network, with a memory limit."""
    limits = ["--memory", memory, "--memory-swap", memory, "--shm-size", "2g"]
    places = ["--volume", f"{data}:/data", "--workdir", "/data", "--env", "HOME=/tmp"]
    return engine.podman("run", "--rm", "--network", "none", *SAFE, *limits, *places, image, *command, check=False)


def failure(data: Path) -> dict[str, Any]:
    found = json.loads((data / "runs" / "tiny" / "failure.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_it_is_small_and_has_no_compiler_and_no_root(engine: Engine, image: str) -> None:
    assert engine.megabytes(image) < MOST_MEGABYTES
    (facts,) = json.loads(engine.podman("image", "inspect", image).stdout)
    assert facts["Config"]["User"] == "1000"
    assert facts["Config"].get("Entrypoint") is None  # Kubeflow brings its own command
    found = engine.podman("run", "--rm", "--network", "none", image, "sh", "-c", "command -v g++ cc uv", check=False)
    assert found.stdout == ""


def test_every_module_can_be_imported_without_the_packages_that_were_left_out(
    engine: Engine, image: str, data: Path
) -> None:
    shutil.copy(Path(__file__).with_name("modules.py"), data)
    done = contained(engine, image, data, "6g", "python", "modules.py")
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 400


def test_a_whole_recipe_runs_without_rights_within_6_gigabytes(engine: Engine, image: str, data: Path) -> None:
    done = contained(engine, image, data, "6g", *RUN)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    assert list(data.glob("runs/tiny/artifacts/Pusher/pushed_model/*/manifest.json"))
    assert list(data.glob("runs/tiny/artifacts/Inference/predictions/*/predictions-*"))
    assert not (data / "runs" / "tiny" / "failure.json").exists()


def test_too_little_memory_is_named_with_the_limit(engine: Engine, image: str, data: Path) -> None:
    done = contained(engine, image, data, "300m", *RUN)
    assert done.returncode in (75, 137), (done.stdout[-3000:], done.stderr[-3000:])
    assert "out of memory: the kernel ended a process at the limit of 300Mi" in done.stderr
    found = failure(data)
    assert found["exit_code"] == done.returncode
    assert found["cause"].startswith("out of memory: the kernel ended a process at the limit of 300Mi")
