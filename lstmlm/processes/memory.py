"""The memory limit of this process's control group, such as a container's, and how often the kernel enforced it.

Both versions of Linux's control groups: `Documentation/admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_NO_LIMIT = 1 << 60
"""Version 1 has a number near 2**63 where there is no limit."""


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A control group.

    Attributes:
        folder: Its folder.
        top: Where its hierarchy is mounted; a group between both may have a lower limit.
        version: 1 or 2.
    """

    folder: Path
    top: Path
    version: int

    def limit(self) -> int | None:
        """Returns the bytes that the processes of the group may take; None: no limit."""
        name = "memory.max" if self.version == 2 else "memory.limit_in_bytes"
        groups = [self.folder, *self.folder.parents]
        groups = groups[: groups.index(self.top) + 1]
        found = [int(text) for group in groups if (text := _text(group / name)).isdecimal()]
        return min((one for one in found if one < _NO_LIMIT), default=None)

    def kills(self) -> int:
        """Returns how many processes the kernel has ended for want of memory; 0 where it does not count them."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        counts = dict(line.split() for line in _text(self.folder / name).splitlines())
        return int(counts.get("oom_kill", 0))


def memory_group(root: Path = Path("/")) -> MemoryGroup | None:
    """Returns the control group that limits the memory of this process; None where there is none.

    Args:
        root: The file system that holds `proc/self` and the mounted groups.
    """
    own: dict[str, str] = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)
    for version, mounted, top in sorted(_mounts(root)):
        name = "memory" if version == 1 else ""
        if name in own:
            folder = _below(top, mounted, own[name])
            if version == 1 or (folder / "memory.events").is_file():
                return MemoryGroup(folder, top, version)
    return None


def _mounts(root: Path) -> Iterator[tuple[int, str, Path]]:
    """Yields version, mounted group and place of each hierarchy that may count memory."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        fields, _, kind = line.partition(" - ")
        mounted, place = fields.split()[3:5]
        name, _, options = kind.split(maxsplit=2)
        if name == "cgroup2" or (name == "cgroup" and "memory" in options.split(",")):
            yield 2 if name == "cgroup2" else 1, mounted, root / place.lstrip("/")


def _below(top: Path, mounted: str, path: str) -> Path:
    """Returns the folder of a group: a container sees its own at the top, whatever the name of it outside."""
    if PurePosixPath(path).is_relative_to(mounted):
        folder = top / PurePosixPath(path).relative_to(mounted)
        if folder.is_dir():
            return folder
    return top


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def readable(size: int) -> str:
    """Returns a size as Kubernetes and Docker write it, such as `512Mi`."""
    return f"{size >> 20}Mi" if size % (1 << 30) else f"{size >> 30}Gi"
