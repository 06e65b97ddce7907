"""The runtime context of a component (progress, Ray cluster), which is not part of its cache key."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar

from lstmlm.progress import Progress, Silent


@dataclasses.dataclass(frozen=True, slots=True)
class Runtime:
    """The surroundings of a component.

    Attributes:
        progress: Receives the progress of the stage.
        ray_address: Ray cluster to train on; None: one started for the run.
    """

    progress: Progress = dataclasses.field(default_factory=Silent)
    ray_address: str | None = None


_CURRENT: ContextVar[Runtime | None] = ContextVar("lstmlm_components_runtime", default=None)


def current() -> Runtime:
    """Returns the surroundings set by `use`, or silent ones: a container of Kubeflow sets none."""
    return _CURRENT.get() or Runtime()


@contextlib.contextmanager
def use(runtime: Runtime) -> Iterator[None]:
    """Sets the surroundings of every component that runs inside the block."""
    token = _CURRENT.set(runtime)
    try:
        yield
    finally:
        _CURRENT.reset(token)
