"""What a training keeps on its way: rows of metrics, the weights of its best evaluations, checkpoints.

On a disk each is there when it was asked for. In a store they are sent in the background, in the order in which they
were asked for: a checkpoint is there after the weights and rows that came before it, so a training that is resumed from
it misses none of them.
"""

from __future__ import annotations

import contextlib
import json
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from lstmlm.errors import TryAgain
from lstmlm.models.weights import save_arrays
from lstmlm.publish.durable import remove_folder, replace, sync_file
from lstmlm.publish.folder import Claim, full_disk_reported
from lstmlm.publish.places import site_of
from lstmlm.storage import StorePath
from lstmlm.storage.files import copy_file
from lstmlm.training.checkpoints.checkpoint import (
    Position,
    append_json,
    checkpoint_facts,
    checkpoint_name,
    remove_others,
    save_checkpoint,
)
from lstmlm.training.metrics.log import METRICS_FILE, best_name

HOLDER_FILE = "holder"
"""Name of the object, in a store, that says which training is at work there."""
_ROWS_SECONDS = 5.0
_WAITING = 2
"""What may wait for the store, of weights and checkpoints: each takes its size on the disk of the machine."""

Variables = Mapping[str, tf.Variable]


class Keeper(Protocol):
    """Keeps what a training will be resumed from."""

    def row(self, row: Mapping[str, Any]) -> None:
        """Adds a row to the metrics."""

    def best(self, step: int, variables: Variables, kept: Iterable[int]) -> None:
        """Keeps the weights of an evaluation if it is one of those that are kept; removes those of other steps.

        Args:
            step: The step of the evaluation.
            variables: The weights, by name.
            kept: The steps whose weights are kept.
        """

    def save(self, variables: Variables, position: Position) -> None:
        """Writes a checkpoint, and removes old ones."""

    def close(self) -> None:
        """Waits until all of it is where it belongs."""


class DiskKeeper:
    """Keeps it in a folder; see `Keeper`.

    Args:
        work: The folder.
        recipe: See `save_checkpoint`.
        keep: See `save_checkpoint`.
    """

    def __init__(self, work: Path, recipe: Mapping[str, Any], keep: int) -> None:
        self._work, self._recipe, self._keep = work, recipe, keep

    def row(self, row: Mapping[str, Any]) -> None:
        """See `Keeper`."""
        append_json(self._work / METRICS_FILE, row)

    def best(self, step: int, variables: Variables, kept: Iterable[int]) -> None:
        """See `Keeper`."""
        steps = set(kept)
        if step in steps:
            partial = self._work / ".best.partial"
            with full_disk_reported(self._work):
                save_arrays(partial, variables)
                sync_file(partial)
            replace(partial, self._work / best_name(step))
        _remove_best(self._work, steps)

    def save(self, variables: Variables, position: Position) -> None:
        """See `Keeper`."""
        rows = self._work / METRICS_FILE
        if rows.is_file():
            sync_file(rows)  # a resumed run does not write the rows before its checkpoint again
        save_checkpoint(self._work, variables, position, self._recipe, self._keep)

    def close(self) -> None:
        """See `Keeper`."""


class StoreKeeper:
    """Sends it to a store, in the background; see `Keeper`. What fails there is raised by the next call.

    Args:
        work: The folder.
        recipe: See `save_checkpoint`.
        keep: See `save_checkpoint`.
        holder: What `HOLDER_FILE` says while no other training has taken over; empty: nobody asks.
    """

    def __init__(self, work: StorePath, recipe: Mapping[str, Any], keep: int, holder: str = "") -> None:
        self._work, self._recipe, self._keep, self._holder = work, recipe, keep, holder
        self._rows = _content(work / METRICS_FILE)
        self._sent, self._sent_at = self._rows, time.monotonic()
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._room = threading.Semaphore(_WAITING)
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work_off, name="checkpoints", daemon=True)
        self._thread.start()

    def row(self, row: Mapping[str, Any]) -> None:
        """See `Keeper`."""
        self._check_failed()
        self._rows += json.dumps(dict(row)).encode() + b"\n"
        if time.monotonic() - self._sent_at > _ROWS_SECONDS:
            self._ask(self._send_rows)

    def best(self, step: int, variables: Variables, kept: Iterable[int]) -> None:
        """See `Keeper`."""
        steps = set(kept)
        if step not in steps:
            self._ask(lambda: _remove_best(self._work, steps))
            return
        self._wait_for_room()
        stack = contextlib.ExitStack()
        file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lstmlm-best-")), best_name(step))
        with full_disk_reported(file.parent):
            save_arrays(file, variables)

        def send() -> None:
            with stack:
                copy_file(file, self._work / file.name)
            _remove_best(self._work, steps)

        self._ask(send, makes_room=True)

    def save(self, variables: Variables, position: Position) -> None:
        """See `Keeper`."""
        self._wait_for_room()
        target = self._work / checkpoint_name(position.step)
        stack, facts = contextlib.ExitStack(), checkpoint_facts(position, self._recipe)
        claim = Claim(target, site_of(target), "checkpoint", "", _Holding(self._work, self._holder))
        draft = stack.enter_context(claim.draft(copied=True))
        draft.facts = facts
        with full_disk_reported(draft.path):
            save_arrays(draft.path / "arrays.npz", variables)

        def send() -> None:
            self._send_rows()
            remove_folder(target)  # damaged: training resumed from an earlier one
            stack.close()  # sends the file, and the manifest last
            remove_others(self._work, target, self._keep)

        self._ask(send, makes_room=True)

    def close(self) -> None:
        """See `Keeper`."""
        self._ask(self._send_rows)
        self._jobs.put(None)
        self._thread.join()
        self._check_failed()

    def _wait_for_room(self) -> None:
        self._room.acquire()
        self._check_failed()

    def _ask(self, job: Callable[[], None], *, makes_room: bool = False) -> None:
        def work() -> None:
            try:
                if self._failed is None:  # what comes after something that failed would be out of order
                    job()
            finally:
                if makes_room:
                    self._room.release()

        self._jobs.put(work)

    def _work_off(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException as error:
                self._failed = error

    def _send_rows(self) -> None:
        rows, self._sent_at = self._rows, time.monotonic()
        if rows != self._sent:
            (self._work / METRICS_FILE).write_bytes(rows)
            self._sent = rows

    def _check_failed(self) -> None:
        if self._failed is not None:
            raise self._failed


class _Holding:
    """Says whether no other training has taken over; what a `Lease` is to whoever does not hold it itself."""

    def __init__(self, work: StorePath, holder: str) -> None:
        self._work, self._holder = work, holder

    def check(self) -> None:
        """See `lstmlm.storage.leases.Lease.check`."""
        if self._holder and _content(self._work / HOLDER_FILE).decode() != self._holder:
            hint = "Run again: finished work is kept"
            raise TryAgain("another process took over the training here", where=str(self._work), hint=hint)


def keeper(work: Path, recipe: Mapping[str, Any], keep: int, holder: str = "") -> Keeper:
    """Returns what keeps a training in a folder of this machine or of a store; see `StoreKeeper`."""
    return StoreKeeper(work, recipe, keep, holder) if isinstance(work, StorePath) else DiskKeeper(work, recipe, keep)


def _remove_best(work: Path, kept: Iterable[int]) -> None:
    names = {best_name(step) for step in kept}
    for path in list(work.glob("best-*.npz")):
        if path.name not in names:
            path.unlink(missing_ok=True)


def _content(path: StorePath) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""
