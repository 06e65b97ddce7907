"""Resolves the output path of a stage, and the paths of its lock, draft and work folder.

Usually they are siblings of the folder: `.NAME.lock`, `.NAME.work`, a draft `.NAME.partial-...` that is renamed at the
end. A folder that cannot be replaced by a rename (a mounted volume, the current folder, a folder in a parent that
cannot be written) has them inside.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.manifest import ATTEMPT, MANIFEST
from lstmlm.storage import StorePath

PARTIAL = "partial-"
"""Suffix of the name of a folder that is being written, after a dot."""

MOVING = ".moving.json"
"""In a draft inside of the output: the names that are being moved up from it."""

RUN_STORE, RUN_ARTIFACTS, RUN_ORIGIN = "metadata.sqlite", "artifacts", ".origin"
"""In the folder of a run: ML Metadata, if no server keeps it; what the stages published; where the folder was first."""

_NOT_OURS = {"lost+found", ".snapshot"}
"""Folders of the file system itself: a fresh ext4 volume and NFS servers have them."""
_OWN = {".lock", ".work", ".checkpoints"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """Where an output folder is made.

    Attributes:
        folder: The folder, symbolic links followed.
        inside: Whether what accompanies it is in the folder itself.
    """

    folder: Path
    inside: bool

    def hidden(self, name: str) -> Path:
        """Returns the path of a file or folder that accompanies the output, such as `.NAME.lock` for `lock`."""
        return self.folder / f".{name}" if self.inside else self.folder.with_name(f".{self.folder.name}.{name}")

    def hidden_paths(self, name: str) -> list[Path]:
        """Returns the accompanying files and folders that are there and whose name begins with `name`."""
        parent = self.folder if self.inside else self.folder.parent
        start = self.hidden(name).name
        return sorted(path for path in _entries(parent) if path.name.startswith(start))


def site_of(folder: Path) -> Site:
    """Returns where an output folder is made.

    Raises:
        UserError: The path is a URL, or its symbolic links go in a circle.
    """
    if isinstance(folder, StorePath):
        return Site(folder, inside=not folder.key)
    check_local(folder)
    try:
        real = folder.resolve()
    except (OSError, RuntimeError) as error:
        raise UserError("the symbolic links go in a circle", where=str(folder), hint="Name another folder") from error
    return Site(real, real.is_dir() and _stays(real))


def _stays(folder: Path) -> bool:
    """Says whether a folder that is there must be written in place."""
    if folder in _mount_points() or os.path.ismount(folder) or folder == Path.cwd():
        return True
    if any(path.name in _NOT_OURS for path in _entries(folder)):
        return True
    return not os.access(folder.parent, os.W_OK | os.X_OK)


def _mount_points() -> set[Path]:
    """Returns the mount points; `os.path.ismount` does not know a folder bound from the same file system."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return set()
    escaped = (line.split(" ")[4] for line in lines if line.count(" ") > 4)
    return {Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)) for path in escaped}


def check_local(path: Path | str, where: str = "") -> None:
    """Refuses the URL of an object store or a server: outputs are folders of this machine.

    `pathlib` makes `s3:/bucket` of `s3://bucket`, which would otherwise become a folder named `s3:`.

    Args:
        path: What the user named.
        where: The option or field; absent: the path itself.

    Raises:
        UserError: It is a URL.
    """
    found = _URL.match(str(path))
    if found is None or Path(f"{found[1]}:").is_dir():
        return
    rest = str(path)[found.end() :].lstrip("/")
    if found[1].lower() == "file":
        raise UserError(f"{path} is a URL, but a path is needed", where=where, hint=f"Write it as /{rest}")
    hint = "Name a folder of this machine, for example a mounted bucket, and copy it from there"
    raise UserError(f"{found[1]}://{rest}: only folders of this machine can be used here", where=where, hint=hint)


def content(folder: Path) -> list[Path]:
    """Returns what an output folder holds, without what the file system or a half-done job of ours put there."""
    if isinstance(folder, StorePath):
        return [path for path in folder.iterdir() if path.name not in _OWN and not path.name.startswith(ATTEMPT)]
    moving = {name for draft in folder.glob(f".{PARTIAL}*") for name in names_moving(draft)}
    ours = _NOT_OURS | _OWN | moving
    return [path for path in _entries(folder) if path.name not in ours and not path.name.startswith(f".{PARTIAL}")]


def names_moving(draft: Path) -> list[str]:
    """Returns the names that a draft inside of its output is moving up; none where it is not, or all have moved."""
    if not (draft / MANIFEST).is_file():  # the last to move
        return []
    try:
        names = json.loads((draft / MOVING).read_bytes())
    except (OSError, ValueError):
        return []
    return [name for name in names if isinstance(name, str) and "/" not in name and name not in (".", "..")]


def companion(output: Path, suffix: str) -> Path:
    """Returns the path of a visible file that goes with an output, such as `NAME.log`.

    It is in the temporary folder where the parent of the output cannot be written: a container often has one writable
    folder, the mounted output. So it is of an output in a store.
    """
    if isinstance(output, StorePath):
        digest = hashlib.sha256(str(output).encode()).hexdigest()[:8]
        return Path(tempfile.gettempdir()) / f"{output.name or output.bucket}-{digest}{suffix}"
    name = output.name or output.resolve().name
    parent = output.parent if output.name else output.resolve().parent
    first = next((path for path in (parent, *parent.absolute().parents) if path.exists()), parent)
    if output.is_dir() and not os.access(first, os.W_OK | os.X_OK):
        return Path(tempfile.gettempdir()) / f"{name}{suffix}"
    return parent / f"{name}{suffix}"


def metrics_file(output: Path) -> Path:
    """Returns the file next to an output that says how fast it was made; of an output in a store it is there too."""
    if isinstance(output, StorePath) and output.key:
        return output.with_name(f"{output.name}.metrics.json")
    return companion(output, ".metrics.json")


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        yield from sorted(folder.iterdir())
