"""Removes from a store what no manifest names: files of failed attempts, work of jobs that never ended, old leases.

Readers see nothing of an attempt without a manifest, so this only frees space. What was written within a grace time is
kept: it may belong to a job at work on any machine, or to one that will be resumed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.manifest import ATTEMPT, MANIFEST, parse_manifest
from lstmlm.publish.places import site_of
from lstmlm.storage import StorePath
from lstmlm.storage.leases import EXPIRES, now
from lstmlm.storage.uploads import abort_uploads

_FILE = re.compile(rf"(?P<group>(?P<folder>.*?/|){ATTEMPT}[0-9a-f]{{16}})/.+", re.DOTALL)
_HIDDEN = re.compile(r"(?P<group>(?:.*/|)\.(?:[^/]+\.)?(?:work|lock))/.+", re.DOTALL)
_PROBE = re.compile(r"(?P<group>(?:.*/|)\.[^/]*\.?probe(?:-[0-9a-f]{16})?)", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Leftover:
    """Objects that belong to one attempt or job.

    Attributes:
        folder: Where they are.
        objects: How many there are.
        size: Their bytes.
        seconds: The time since the last of them was written.
    """

    folder: StorePath
    objects: int
    size: int
    seconds: float


def sweep_store(folder: StorePath, grace: float, *, remove: bool = True) -> list[Leftover]:
    """Removes what is below a folder and next to it, is named by no manifest, and was last written before a grace time.

    Args:
        folder: An output, or a folder with many.
        grace: Seconds; not less than the time in which a lease expires.
        remove: Remove it; otherwise it is only returned.

    Returns:
        What was found, in order.

    Raises:
        UserError: The grace time is too short, or see `lstmlm.storage.faults`.
    """
    if grace < EXPIRES:
        what = f"{grace:.0f} seconds are less than the {EXPIRES:.0f} in which a lease expires"
        raise UserError(what, where="--older-than", hint="Give more hours: what is younger may belong to a job at work")
    time = now(folder)
    found = list(_leftovers(folder, time))
    if folder.key:
        site = site_of(folder)
        found += [one for name in ("work", "lock") for one in _whole(_as_store(site.hidden(name)), time)]
    old = [one for one in found if one.seconds >= grace]
    if remove:
        for one in old:
            one.folder.remove()
        abort_uploads(folder, time - grace)
    return old


def _leftovers(folder: StorePath, time: float) -> Iterator[Leftover]:
    objects = folder.below()
    named = {name.rpartition("/")[0] for name in objects if name.rpartition("/")[2] == MANIFEST}
    kept = {f"{parent}/{attempt}".lstrip("/") for parent in named if (attempt := _attempt(folder / parent)) is not None}
    unknown = {parent for parent in named if _attempt(folder / parent) is None}

    def group(name: str) -> str | None:
        if match := _HIDDEN.fullmatch(name) or _PROBE.fullmatch(name):  # with checkpoints, which have manifests
            return match["group"]
        match = _FILE.fullmatch(name)
        if match is None or match["group"] in kept or match["folder"].rstrip("/") in unknown:
            return None
        return match["group"]

    yield from _grouped(folder, objects, group, time)


def _attempt(folder: StorePath) -> str | None:
    """Returns the attempt that the manifest of a folder names; None where it cannot be read, so nothing is removed."""
    try:
        return parse_manifest(folder / MANIFEST).attempt
    except (UserError, OSError):
        return None


def _whole(folder: StorePath, time: float) -> Iterator[Leftover]:
    yield from _grouped(folder, folder.below(), lambda name: "", time)


def _grouped(
    folder: StorePath, objects: Mapping[str, Mapping[str, Any]], group: Callable[[str], str | None], time: float
) -> Iterator[Leftover]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for name, facts in objects.items():
        if (found := group(name)) is not None:
            groups.setdefault(found, []).append(facts)
    for name, members in sorted(groups.items()):
        seconds = time - max(one["modified"] for one in members)
        yield Leftover(folder / name, len(members), sum(one["size"] for one in members), seconds)


def _as_store(path: object) -> StorePath:
    assert isinstance(path, StorePath)
    return path
