"""A cluster that cannot be used is reported in one line, which names the option or the variable at fault."""

import os
import socket
import types
from pathlib import Path

import pytest
import ray as real

from lstmlm.errors import TryAgain, UserError
from lstmlm.training.workers import local_ray
from lstmlm.training.workers.cluster import ray_cluster
from lstmlm.training.workers.local_ray import LONGEST_FOLDER, PREFIX, STARTS, local_cluster


@pytest.fixture
def ray(monkeypatch):
    """Ray, where `init` starts nothing and fails a given number of times."""
    fake = types.SimpleNamespace(attempts=[], failures=[])
    monkeypatch.setattr(real, "is_initialized", lambda: False)
    monkeypatch.setattr(real, "shutdown", lambda: None)
    monkeypatch.setattr(real, "cluster_resources", lambda: {"CPU": 4.0})

    def init(**options):
        fake.attempts.append(options | {"token": os.environ.get("RAY_AUTH_TOKEN")})
        if fake.failures:
            raise fake.failures.pop(0)

    monkeypatch.setattr(real, "init", init)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return fake


def enter(recipe, address=None):
    with ray_cluster(recipe, address):
        pass


def test_a_wrong_address_is_refused_at_once(recipe, ray):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            UserError, match=f"--ray-address: no Ray cluster answers at {address}. Start a cluster"
        ) as refused:
            enter(recipe, address)
    assert not isinstance(refused.value, TryAgain)  # nothing on this machine will begin to listen by itself
    assert ray.attempts == []


def test_a_cluster_on_another_machine_may_answer_later(recipe, ray, monkeypatch):
    def refuse(*arguments):
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(TryAgain, match="no Ray cluster answers at head:6379"):
        enter(recipe, "head:6379")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "http://127.0.0.1:1", "auto", "nonsense"])
def test_a_variable_that_another_tool_left_is_named(recipe, ray, monkeypatch, address):
    monkeypatch.setenv("RAY_ADDRESS", address)
    ray.failures = [ValueError("Invalid address format")]
    with pytest.raises(UserError, match=f"^RAY_ADDRESS: no Ray cluster answers at {address}.*unset RAY_ADDRESS"):
        enter(recipe)


@pytest.mark.parametrize("value", ["", " ", "local"])
def test_a_variable_that_names_no_cluster_means_a_local_one(recipe, ray, monkeypatch, value):
    monkeypatch.setenv("RAY_ADDRESS", value)
    enter(recipe)
    assert [options["address"] for options in ray.attempts] == ["local"]


def test_another_version_on_the_cluster_is_named_with_both(recipe, ray):
    ray.failures = [
        RuntimeError(
            "Version mismatch: The cluster was started with:\n    Ray: 2.48.0\n    Python: 3.11.7\n"
            "This process on node 10.0.0.1 was started with:\n    Ray: 2.55.1\n    Python: 3.11.9\n"
        )
    ]
    match = r"^--ray-address: the cluster at auto runs Ray 2\.48\.0 .*and here are Ray 2\.55\.1 and 3\.11\.9"
    with pytest.raises(UserError, match=match):
        enter(recipe, "auto")


def test_a_cluster_that_asks_for_a_token_is_reported_as_such(recipe, ray):
    ray.failures = [RuntimeError("Unauthenticated: RPC error: InvalidAuthToken: Authentication token is missing")]
    with pytest.raises(UserError, match=r"asks for a token\. Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"):
        enter(recipe, "auto")


SLOW = [
    Exception("The current node timed out during startup. This could happen because"),
    RuntimeError("Timed out waiting for file /tmp/ray/session_1/gcs_server_port_1"),
]


@pytest.mark.parametrize("slow", SLOW)
def test_a_busy_machine_gets_another_chance(recipe, ray, slow):
    ray.failures = [slow] * (STARTS - 1)
    enter(recipe)
    assert [options["address"] for options in ray.attempts] == ["local"] * STARTS
    ray.failures = [slow] * STARTS
    with pytest.raises(UserError, match=f"Ray did not start on this machine, in {STARTS} attempts"):
        enter(recipe)


def test_a_local_cluster_has_a_secret_and_a_folder_of_its_own(recipe, ray, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setattr(local_ray, "_check_token", lambda: None)
    for _ in range(2):
        enter(recipe)
    first, second = ray.attempts
    assert len(first["token"]) == len(second["token"]) == 64
    assert first["token"] == second["token"]  # Ray reads it once in a process
    assert first["_temp_dir"] != second["_temp_dir"]
    assert "RAY_AUTH_TOKEN" not in os.environ
    assert not any(Path(options["_temp_dir"]).exists() for options in ray.attempts)


def test_sockets_fit_into_the_folder_whatever_tmpdir_is(recipe, ray, monkeypatch, tmp_path):
    long = tmp_path / "a-job-of-a-batch-scheduler" / "with-a-long-name"
    long.mkdir(parents=True)
    for value in (str(long), "relative", str(tmp_path / "absent")):
        monkeypatch.setenv("TMPDIR", value)
        enter(recipe)
    assert all(len(str(Path(options["_temp_dir"]).parent)) <= LONGEST_FOLDER for options in ray.attempts)
    assert len(ray.attempts) == 3


def test_no_folder_for_sockets_is_one_line_that_names_the_variable(recipe, ray, monkeypatch):
    monkeypatch.setattr(local_ray, "LONGEST_FOLDER", 0)
    with pytest.raises(UserError, match=r"^TMPDIR: Ray finds no folder for its sockets.*Set TMPDIR to a short path"):
        enter(recipe)


def test_folders_of_killed_runs_are_removed_and_those_of_living_ones_stay(ray, monkeypatch):
    with local_cluster(1):
        living = Path(ray.attempts[0]["_temp_dir"])
        dead = living.parent / f"{PREFIX}00000000"
        (dead / "session").mkdir(parents=True)
        (dead / ".lock").touch()
        with local_cluster(1):
            assert living.exists()
            assert not dead.exists()


def test_without_shared_memory_the_object_store_is_a_file(ray, monkeypatch, tmp_path):
    monkeypatch.setattr(local_ray, "SHARED_MEMORY", tmp_path / "absent")
    with local_cluster(1):
        pass
    assert ray.attempts[0]["_plasma_directory"] == ray.attempts[0]["_temp_dir"]


def test_what_of_ray_is_replaced_is_there():
    """These are no part of Ray's interface: a new version may have renamed them."""
    from ray._private import ray_constants
    from ray.train.tensorflow import TensorflowTrainer

    assert isinstance(ray_constants.ENABLE_RAY_CLUSTER, bool)
    assert callable(TensorflowTrainer._register_sigint_handler)
    assert callable(TensorflowTrainer._initialize_and_run_controller)


def test_another_failure_of_ray_is_not_hidden(recipe, ray):
    ray.failures = [RuntimeError("no space left for the object store")]
    with pytest.raises(RuntimeError, match="no space left"):
        enter(recipe)


def test_too_small_a_cluster_is_refused(recipe, ray):
    large = recipe.model_copy(update={"training": recipe.training.model_copy(update={"workers": 5})})
    with pytest.raises(UserError, match=r"training\.workers: the Ray cluster has 4 CPU, but the workers need 5"):
        enter(large)
