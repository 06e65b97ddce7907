"""A cluster that cannot be used is told in one line."""

import socket
import types

import pytest

from lstmlm.errors import UserError
from lstmlm.training.cluster import STARTS, ray_cluster


@pytest.fixture
def ray(monkeypatch):
    """Stands for Ray: `init` fails as often as told."""
    fake = types.ModuleType("ray")
    fake.attempts, fake.failures = [], []
    fake.is_initialized = lambda: False
    fake.shutdown = lambda: None
    fake.cluster_resources = lambda: {"CPU": 4.0}

    def init(**options):
        fake.attempts.append(options)
        if fake.failures:
            raise fake.failures.pop(0)

    fake.init = init
    monkeypatch.setitem(__import__("sys").modules, "ray", fake)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return fake


def enter(recipe, address=None):
    with ray_cluster(recipe, address):
        pass


def test_a_wrong_address_is_refused_at_once(recipe, ray):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=f"--ray-address: no Ray cluster answers at {address}. Start a cluster"):
            enter(recipe, address)
    assert ray.attempts == []


@pytest.mark.parametrize("address", ["nonsense", "auto"])
def test_what_ray_does_not_know_is_refused(recipe, ray, address):
    ray.failures = [ValueError("Invalid address format")]
    with pytest.raises(UserError, match=f"no Ray cluster answers at {address}"):
        enter(recipe, address)


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


def test_another_failure_of_ray_is_not_hidden(recipe, ray):
    ray.failures = [RuntimeError("no space left for the object store")]
    with pytest.raises(RuntimeError, match="no space left"):
        enter(recipe)


def test_too_small_a_cluster_is_refused(recipe, ray):
    large = recipe.model_copy(update={"training": recipe.training.model_copy(update={"workers": 5})})
    with pytest.raises(UserError, match=r"training\.workers: the Ray cluster has 4 CPU, and the workers need 5"):
        enter(large)
