"""A folder or file of an object store with the interface of `pathlib.Path`, so that what reads and writes takes both.

Stores have no folders: one is there if an object is below it. Nothing is renamed, and an object appears whole, when its
writer closes it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import fnmatch
import io
import os
import re
import stat
from collections.abc import Generator
from pathlib import Path, PosixPath
from typing import IO, Any, NoReturn

from lstmlm.storage.clients import EXTRAS, check_answers, filesystem
from lstmlm.storage.faults import reported
from lstmlm.storage.streams import READ_BYTES, ObjectReader, ObjectWriter, write_object

_REMOVED = 16
"""Objects that are removed at once."""
_URL = re.compile(rf"({'|'.join(EXTRAS)}):/+(?=[^/])")


def place(path: Path | str) -> Path:
    """Returns what a user named: a `StorePath` for a URL of a store, which may have lost a slash in a `Path`."""
    found = None if isinstance(path, StorePath) else _URL.match(str(path))
    if found is None or Path(f"{found[1]}:").is_dir():
        return Path(path) if isinstance(path, str) else path
    return StorePath(str(path))


class StorePath(PosixPath):
    """A path below a bucket, such as `s3://bucket/folder/file`."""

    __slots__ = ()

    @property
    def scheme(self) -> str:
        """Name of the kind of store, such as `s3`."""
        return self.parts[0].removesuffix(":")

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.parts[1] if len(self.parts) > 1 else ""

    @property
    def key(self) -> str:
        """The path inside the bucket, without a slash before or behind it; empty for the bucket itself."""
        return "/".join(self.parts[2:])

    @property
    def address(self) -> str:
        """Bucket and key, as fsspec writes them."""
        return "/".join(self.parts[1:])

    def __str__(self) -> str:
        """Returns the URL; what `relative_to` gives has no bucket, and is a path."""
        first, *rest = self.parts or (".",)
        return f"{first}//{'/'.join(rest)}" if first.removesuffix(":") in EXTRAS else "/".join((first, *rest))

    def __fspath__(self) -> NoReturn:
        """Raises: no function of the system, and no library that takes a path, can open it."""
        raise TypeError(f"{self} is in an object store, and is not a file of this machine")

    def client(self) -> Any:
        """Returns the filesystem of fsspec that it is in.

        Raises:
            UserError: Its client is not installed, or nothing answers at its endpoint.
        """
        check_answers(self.scheme)
        return filesystem(self.scheme)

    # What is read of an object.

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Opens for reading (`r`, `rb`) or, whole at its end, for writing (`w`, `wb`).

        A writer that is left by an exception leaves nothing behind. What is read is of one version of the object.

        Raises:
            FileNotFoundError: There is no such object.
            UserError: See `lstmlm.storage.faults`; also, where it changes while it is read.
        """
        kind = mode.replace("b", "").replace("t", "")
        if kind not in ("r", "w"):
            raise ValueError(f"objects of a store cannot be opened with mode {mode!r}")
        with reported(str(self)):
            if kind == "r":
                raw = ObjectReader(self)
                stream: Any = io.BufferedReader(raw, buffering if buffering > 1 else READ_BYTES)
            else:
                stream = ObjectWriter(self.client(), self.address, str(self))
        if "b" in mode:
            return stream
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    def open_section(self, start: int, end: int) -> IO[bytes]:
        """Opens for reading a part of it, without asking for much else.

        Args:
            start: Where the part begins.
            end: Where it ends.

        Raises:
            FileNotFoundError: There is no such object.
            UserError: See `open`.
        """
        with reported(str(self)):
            return io.BufferedReader(ObjectReader(self, (start, end)), READ_BYTES)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Returns size and time of the last change, by the clock of the store.

        Raises:
            FileNotFoundError: There is no such object, nor a folder.
        """
        found = self._info()
        if found["type"] == "directory":
            return os.stat_result((stat.S_IFDIR | 0o755, *[0] * 9))
        when = _seconds(found)
        return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, int(found["size"]), when, when, when))

    def _info(self) -> dict[str, Any]:
        with reported(str(self)):
            found: dict[str, Any] = self.client().info(self.address)
            return found

    def exists(self) -> bool:
        """Says whether it is an object, or objects are below it."""
        try:
            self._info()
        except FileNotFoundError:
            return False
        return True

    def is_file(self) -> bool:
        """Says whether it is an object."""
        with contextlib.suppress(FileNotFoundError):
            return bool(self._info()["type"] == "file")
        return False

    def is_dir(self) -> bool:
        """Says whether objects are below it."""
        with reported(str(self)):
            return bool(self.client().isdir(self.address))

    def is_symlink(self) -> bool:
        """Returns False: stores have no links."""
        return False

    # Folders.

    def iterdir(self) -> Generator[StorePath, None, None]:
        """Yields the objects and folders directly below it; none where there is nothing."""
        with reported(str(self)), contextlib.suppress(FileNotFoundError):
            for address in sorted(self.client().ls(self.address, detail=False)):
                name = address.rstrip("/").rpartition("/")[2]
                if name and address.rstrip("/") != self.address:
                    yield self / name

    def below(self) -> dict[str, dict[str, Any]]:
        """Returns all objects below it: name relative to it -> `size` and the time of its last change, `modified`.

        However many there are, and whatever their keys are made of.
        """
        start = f"{self.address}/"
        with reported(str(self)):
            found = self.client().find(self.address, detail=True)
        return {
            address.removeprefix(start): {"size": int(facts["size"]), "modified": _seconds(facts)}
            for address, facts in sorted(found.items())
            if address.startswith(start)
        }

    def glob(self, pattern: str) -> Generator[StorePath, None, None]:
        """Yields what is directly below it and has a name like the pattern, in order."""
        if "/" in pattern or "**" in pattern:
            raise NotImplementedError(f"glob of {pattern!r} in an object store")
        yield from (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    def rglob(self, pattern: str) -> Generator[StorePath, None, None]:
        """Yields the objects below it, at any depth, that have a name like the pattern, in order."""
        for name in self.below():
            if fnmatch.fnmatchcase(name.rpartition("/")[2], pattern):
                yield self / name

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Does nothing: a folder is there with its first object."""

    def rmdir(self) -> None:
        """Does nothing: a folder is gone with its last object."""

    # What changes.

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the object.

        Raises:
            FileNotFoundError: There is none, and `missing_ok` is not set.
        """
        if not missing_ok and not self.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        with reported(str(self)), contextlib.suppress(FileNotFoundError):
            self.client().rm_file(self.address)

    def read_bytes(self) -> bytes:
        """Returns the content of a small object, by one request.

        Raises:
            FileNotFoundError: There is no such object.
        """
        with reported(str(self)):
            return bytes(self.client().cat_file(self.address))

    def write_bytes(self, data: Any) -> int:
        """Writes a small object, by one request."""
        write_object(self.client(), self.address, str(self), bytes(data))
        return len(data)

    def remove(self) -> None:
        """Removes what is below it, and the object itself; what is not there is no fault."""
        client, names = self.client(), [f"{self.address}/{name}" for name in self.below()]
        # One by one, for `rm` of several takes names with brackets and stars for patterns.
        with reported(str(self)), concurrent.futures.ThreadPoolExecutor(_REMOVED) as threads:
            for done in [threads.submit(client.rm_file, name) for name in names]:
                with contextlib.suppress(FileNotFoundError):
                    done.result()
        self.unlink(missing_ok=True)

    def create(self, content: bytes) -> bool:
        """Writes the object unless there is one already; of several that do so at once, one succeeds.

        Args:
            content: Different for each who tries: where an answer is lost and the write is tried again, what is found
                there says whether it was this one's.

        Returns:
            Whether the object is this one's.
        """
        with reported(str(self)):
            try:
                self.client().pipe_file(self.address, content, mode="create")
            except FileExistsError:
                return self.read_bytes() == content
            return True

    def resolve(self, strict: bool = False) -> StorePath:
        """Returns the path: stores have no links."""
        return self

    def absolute(self) -> StorePath:
        """Returns the path: it does not depend on the current folder."""
        return self

    def rename(self, target: object) -> NoReturn:
        """Raises: stores have no rename."""
        raise NotImplementedError("objects of a store cannot be renamed")

    replace = rename


def _seconds(facts: dict[str, Any]) -> float:
    """Returns when an object was last changed, in seconds since 1970, by the clock of the store."""
    when: Any = facts.get("LastModified") or facts.get("mtime") or facts.get("updated")
    return float(when.timestamp()) if hasattr(when, "timestamp") else 0.0
