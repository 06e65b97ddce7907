"""The memory limit of a control group, as the files of Linux give it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.processes.memory import memory_group, readable

V1_MOUNT = "35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
V2_MOUNT = "30 23 0:26 {root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
OTHER_MOUNTS = (
    "23 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
)
UNLIMITED = "9223372036854771712"


def system(root: Path, groups: str, mounts: str, files: dict[str, str]) -> Path:
    """Makes a file system that holds what a process sees of its groups."""
    for name, text in {"proc/self/cgroup": groups, "proc/self/mountinfo": OTHER_MOUNTS + mounts, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return root


def test_version_2_the_lowest_limit_above_the_group_counts(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/cgroup.procs": "1\n",
        "sys/fs/cgroup/pods/memory.max": f"{1 << 30}\n",
        "sys/fs/cgroup/pods/one/memory.max": "max\n",
        "sys/fs/cgroup/pods/one/memory.events": "low 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n",
    }
    group = memory_group(system(tmp_path, "0::/pods/one\n", V2_MOUNT.format(root="/"), files))
    assert group is not None
    assert (group.version, group.limit(), group.kills()) == (2, 1 << 30, 2)


def test_version_1_next_to_an_empty_version_2(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{UNLIMITED}\n",
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{600 << 20}\n",
        "sys/fs/cgroup/memory/box/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    }
    mounts = V1_MOUNT.format(root="/") + V2_MOUNT.format(root="/").replace("/cgroup ", "/cgroup/unified ")
    group = memory_group(system(tmp_path, "4:memory:/box\n1:cpu:/\n0::/\n", mounts, files))
    assert group is not None
    assert (group.version, group.limit(), group.kills()) == (1, 600 << 20, 1)


@pytest.mark.parametrize("mounted", ["/docker/abc", "/"])
def test_a_container_sees_its_group_at_the_top(tmp_path: Path, mounted: str) -> None:
    files = {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 << 30}\n"}
    root = system(tmp_path, "4:memory:/docker/abc\n", V1_MOUNT.format(root=mounted), files)
    group = memory_group(root)
    assert group is not None
    assert group.limit() == 2 << 30
    assert group.kills() == 0


def test_without_a_limit_or_a_group_there_is_none(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{UNLIMITED}\n"}
    group = memory_group(system(tmp_path / "free", "4:memory:/\n", V1_MOUNT.format(root="/"), files))
    assert group is not None
    assert group.limit() is None
    assert memory_group(system(tmp_path / "none", "1:cpu:/\n", "", {})) is None


def test_sizes_read_as_kubernetes_writes_them() -> None:
    assert (readable(512 << 20), readable(3 << 30), readable((1 << 30) + (1 << 20))) == ("512Mi", "3Gi", "1025Mi")
