"""The object stores as a filesystem of TFX: its launcher and Pusher make, list and copy folders of artifacts there."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from tfx.dsl.io import filesystem, filesystem_registry
from tfx.dsl.io.fileio import NotFoundError

from lstmlm.storage import place
from lstmlm.storage.clients import EXTRAS
from lstmlm.storage.files import copy_file

_FIRST = 1
"""Priority before TensorFlow's own plugin, which needs another package for `s3://`."""


class StoreFilesystem(filesystem.Filesystem):
    """Object stores; the methods are those of `tfx.dsl.io.filesystem.Filesystem`."""

    SUPPORTED_SCHEMES: ClassVar = [f"{scheme}://" for scheme in EXTRAS]

    @staticmethod
    def open(name: Any, mode: str = "r") -> Any:
        """Opens an object to read or write."""
        try:
            return _place(name).open(mode)
        except FileNotFoundError as error:
            raise NotFoundError(str(error)) from error

    @staticmethod
    def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Copies an object."""
        if not overwrite and _place(dst).is_file():
            raise OSError(f"{_text(dst)} is there already")
        copy_file(_place(src), _place(dst))

    @staticmethod
    def exists(path: Any) -> bool:
        """Says whether there is an object, or one below."""
        return _place(path).exists()

    @staticmethod
    def glob(pattern: Any) -> list[Any]:
        """Returns the objects and folders like a pattern."""
        text = _text(pattern)
        fixed = next((at for at, part in enumerate(text.split("/")) if set(part) & set("*?[")), None)
        if fixed is None:
            return [text] if _place(text).exists() else []
        found = {"/".join(text.split("/")[:fixed])}
        for part in text.split("/")[fixed:]:
            found = {f"{one}/{path.name}" for one in found for path in _place(one).iterdir() if _like(path.name, part)}
        return sorted(found)

    @staticmethod
    def isdir(path: Any) -> bool:
        """Says whether objects are below it."""
        return _place(path).is_dir()

    @staticmethod
    def listdir(path: Any) -> list[Any]:
        """Returns the names directly below it."""
        found = [one.name for one in _place(path).iterdir()]
        if not found:
            raise NotFoundError(f"{_text(path)} is not there")
        return found

    @staticmethod
    def makedirs(path: Any) -> None:
        """Does nothing: a folder is there with its first object."""

    @staticmethod
    def mkdir(path: Any) -> None:
        """Does nothing: a folder is there with its first object."""

    @staticmethod
    def remove(path: Any) -> None:
        """Removes an object; a folder without one, which is none in a store, may be named too."""
        _place(path).unlink(missing_ok=True)

    @staticmethod
    def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Copies what is there, and removes it."""
        source, target = _place(src), _place(dst)
        if not overwrite and target.exists():
            raise OSError(f"{target} is there already")
        for name in source.below() or [""]:
            copy_file(source / name if name else source, target / name if name else target)
        source.remove()

    @staticmethod
    def rmtree(path: Any) -> None:
        """Removes what is below it."""
        _place(path).remove()

    @staticmethod
    def stat(path: Any) -> os.stat_result:
        """Returns size and time of an object."""
        return _place(path).stat()

    @staticmethod
    def walk(
        top: Any, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterable[tuple[Any, list[Any], list[Any]]]:
        """Yields each folder with the names of its folders and objects."""
        start = _place(top)
        folders: dict[str, tuple[set[str], list[str]]] = {"": (set(), [])}
        for name in start.below():
            *parents, last = name.split("/")
            for depth in range(len(parents)):
                folders.setdefault("/".join(parents[:depth]), (set(), []))[0].add(parents[depth])
            folders.setdefault("/".join(parents), (set(), []))[1].append(last)
        for folder in sorted(folders, reverse=not topdown):
            inside, files = folders[folder]
            yield str(start / folder) if folder else str(start), sorted(inside), files


def register() -> None:
    """Makes it TFX's filesystem of object stores; a second time it does nothing."""
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    if registry.get_filesystem_for_scheme(StoreFilesystem.SUPPORTED_SCHEMES[0]) is not StoreFilesystem:
        registry.register(StoreFilesystem, priority=_FIRST)


def _text(path: Any) -> str:
    return (path.decode() if isinstance(path, bytes) else str(path)).rstrip("/")


def _place(path: Any) -> Any:
    found: Path = place(_text(path))
    return found


def _like(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)
