"""Environment variables of other tools change nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lstmlm.processes.environment import bypass_proxy, hosts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "localhost,10.0.0.7"),
        ({"no_proxy": "intern.example, .lan"}, "intern.example,.lan,localhost,10.0.0.7"),
        ({"NO_PROXY": "a"}, "a,localhost,10.0.0.7"),
        ({"no_grpc_proxy": "b,localhost", "no_proxy": "a"}, "b,localhost,10.0.0.7"),
    ],
)
def test_hosts_are_added_to_what_the_user_excluded(before: dict[str, str], after: str) -> None:
    environment = dict(before)
    bypass_proxy(["localhost", "10.0.0.7"], environment)
    bypass_proxy(["localhost", "10.0.0.7"], environment)
    assert environment == before | {"no_grpc_proxy": after}


def test_the_hosts_of_a_ring() -> None:
    config = '{"cluster": {"worker": ["10.0.0.7:2222", "10.0.0.8:41", "[fd00::1]:5"]}, "task": {"index": 0}}'
    assert hosts(config) == ["10.0.0.7", "10.0.0.8", "fd00::1"]
    assert hosts("{}") == []


def test_a_process_is_settled_whatever_is_set() -> None:
    code = (
        "import os, sys, warnings\nfrom lstmlm.processes.environment import settle\nsettle()\n"
        "warnings.warn('old', DeprecationWarning)\n"
        "print({n: os.environ.get(n) for n in ('TF_CONFIG', 'PYTHONWARNINGS', 'KERAS_BACKEND')})\n"
        "print('\\u00e9\\udcff')\n"
        "import google.cloud.bigquery\nprint([name for name in ('IPython', 'ipywidgets') if name in sys.modules])\n"
    )
    environment = {"TF_CONFIG": "{}", "PYTHONWARNINGS": "error", "KERAS_BACKEND": "jax", "LC_ALL": "POSIX"}
    environment |= {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    settled = "{'TF_CONFIG': None, 'PYTHONWARNINGS': None, 'KERAS_BACKEND': 'tensorflow'}\n\\xe9\\udcff\n"
    assert done.stdout == f"{settled}[]\n"  # and Beam's imports bring no notebook along
