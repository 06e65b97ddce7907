"""Environment variables of this project's processes: settings for other tools must not change results."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, MutableMapping

LOOPBACK = ("localhost", "127.0.0.1", "::1")

FOREIGN = (
    "TF_CONFIG",  # of a scheduler's TensorFlow job: Ray writes one for the workers
    "TF_USE_LEGACY_KERAS",  # makes `tf.keras` a package that is not installed
    "PYTHONWARNINGS",  # `error` turns every deprecation of a library into a failure
)
FIXED = {"KERAS_BACKEND": "tensorflow", "RAY_TRAIN_V2_ENABLED": "1"}
NOTEBOOK_ONLY = "tqdm.notebook"
"""Beam's client of BigQuery looks for it, and gets all of IPython where it is installed: a second of each start."""


def settle() -> None:
    """Settles the environment of this process and of those it starts. Before TensorFlow, Ray and Beam are imported."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(FIXED)
    bypass_proxy(LOOPBACK)
    sys.modules.setdefault(NOTEBOOK_ONLY, None)  # type: ignore[arg-type]  # to `import` it is not installed then
    # In front of filters that were made of PYTHONWARNINGS or -W: a warning is no failure. As Python's own filters are.
    warnings.simplefilter("default")
    for quiet in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", quiet)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the locale cannot show is shown in escapes
            stream.reconfigure(errors="backslashreplace")


def settle_worker() -> None:
    """Does the same on a worker of a cluster that others started. Before TensorFlow is imported."""
    given = os.environ.get("TF_CONFIG")
    settle()
    if given is not None:  # of Ray Train, for the collectives
        os.environ["TF_CONFIG"] = given
        bypass_proxy(hosts(given))


def hosts(config: str) -> list[str]:
    """Returns the hosts that a TF_CONFIG names."""
    cluster: dict[str, list[str]] = json.loads(config).get("cluster", {})
    return sorted({address.rpartition(":")[0].strip("[]") for members in cluster.values() for address in members})


def bypass_proxy(hosts: Iterable[str], environment: MutableMapping[str, str] = os.environ) -> None:
    """Has gRPC connect to hosts directly, whatever `http_proxy` says: a company's proxy does not know this machine.

    Of `no_grpc_proxy` and `no_proxy` gRPC reads only the first that is set, so what the user excluded is kept.
    """
    excluded = environment.get("no_grpc_proxy") or environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    known = [host.strip() for host in excluded.split(",") if host.strip()]
    environment["no_grpc_proxy"] = ",".join(dict.fromkeys([*known, *hosts]))
