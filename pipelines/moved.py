"""Adapts the paths in ML Metadata after a run's folder was moved or copied.

TFX stores absolute paths, and hashes them into its cache keys. So at the start of a run the paths in the store are
rewritten to the folder that the store is in, and cache keys are always made as if the folder were where it was first.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tfx import types
from tfx.orchestration.portable import cache_utils

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.publish.places import RUN_ORIGIN, RUN_STORE
from lstmlm.storage import StorePath, place

_ARTIFACT = re.compile(r"(?P<home>/.*)(?P<rest>/artifacts/[^/]+/[^/]+/\d+)")
_TEXTS = (
    ("Artifact", "uri"),
    ("ArtifactProperty", "string_value"),
    ("ExecutionProperty", "string_value"),
)
_BUSY_SECONDS = 5.0
_HINT = "Restore it from a copy; or move it away, and every stage runs again"
_LOG = logging.getLogger(__name__)


def settle(home: Path) -> Path:
    """Checks the store of a run, and leads its paths to where the run's folder is now. Only for the folder's holder.

    Args:
        home: The run's folder, absolute.

    Returns:
        Where the folder was first.

    Raises:
        UserError: The store is damaged, or another program has it locked.
    """
    store = home / RUN_STORE
    if isinstance(home, StorePath) or not store.exists():
        return _origin(home, home)
    try:
        with contextlib.closing(sqlite3.connect(store, timeout=_BUSY_SECONDS)) as connection:
            faults = [found for (found,) in connection.execute("PRAGMA quick_check(1)") if found != "ok"]
            if faults:
                raise UserError(f"the metadata of this run is damaged: {faults[0]}", where=str(store), hint=_HINT)
            if not _has_artifacts(connection):
                return _origin(home, home)
            earlier = _earlier_homes(connection, home)
            first = earlier[0] if earlier else home
            for old in earlier:
                _lead(connection, old, home)
            connection.commit()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            what = "the metadata of this run is locked by another program"
            raise UserError(what, where=str(store), hint="Close what has it open, and run again") from error
        raise UserError(f"the metadata of this run cannot be read: {error}", where=str(store), hint=_HINT) from error
    except sqlite3.DatabaseError as error:
        raise UserError(f"the metadata of this run is damaged: {error}", where=str(store), hint=_HINT) from error
    return _origin(home, first)


def _has_artifacts(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'Artifact'"
    return bool(connection.execute(query).fetchone()[0])


def _earlier_homes(connection: sqlite3.Connection, home: Path) -> list[Path]:
    """Returns the folders that artifacts of the store are said to be in and are not, those of the oldest first."""
    homes: dict[Path, None] = {}
    for (uri,) in connection.execute("SELECT uri FROM Artifact ORDER BY id"):
        found = _ARTIFACT.fullmatch(uri or "")
        if found and Path(found["home"]) != home and Path(f"{home}{found['rest']}").exists():
            homes[Path(found["home"])] = None
    return list(homes)


def _lead(connection: sqlite3.Connection, old: Path, new: Path) -> None:
    _LOG.warning("this run's folder was at %s and is now at %s: its metadata is adapted", old, new)
    for table, column in _TEXTS:
        for before, after in _pairs(old, new):
            connection.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?)",
                (before, after, before),
            )


def _pairs(old: Path, new: Path) -> list[tuple[str, str]]:
    """Returns what is replaced by what: paths below the run's folder, and the recipe's `output`, in which it is."""
    return [(f"{old}/", f"{new}/"), (f'"{old.parent}"', f'"{new.parent}"')]


def _origin(home: Path, first: Path) -> Path:
    """Returns where a folder was first, and notes it where that is not noted yet."""
    note = home / RUN_ORIGIN
    with contextlib.suppress(OSError, UnicodeDecodeError):
        noted = note.read_text(encoding="utf-8").strip()
        if noted.startswith("/"):
            return Path(noted)
        if isinstance(home, StorePath) and noted:
            return place(noted)
    with replacing(note, durable=True) as stream:
        stream.write(f"{first}\n".encode())
    return first


@contextlib.contextmanager
def keys_as_at(origin: Path, home: Path) -> Iterator[None]:
    """Makes TFX's cache keys, inside the block, as if the run's folder were still where it was first."""
    plain: Callable[..., Any] = cache_utils.get_cache_context
    if origin == home:
        yield
        return

    def adapted(*, input_artifacts: Any = None, parameters: Any = None, **others: Any) -> Any:
        inputs = {
            key: [_as_at(found, origin, home) for found in listed] for key, listed in (input_artifacts or {}).items()
        }
        values = {key: _replaced(value, origin, home) for key, value in (parameters or {}).items()}
        return plain(input_artifacts=inputs, parameters=values, **others)

    cache_utils.get_cache_context = adapted
    try:
        yield
    finally:
        cache_utils.get_cache_context = plain


def _as_at(artifact: types.Artifact, origin: Path, home: Path) -> types.Artifact:
    moved = copy.deepcopy(artifact)
    moved.uri = _replaced(moved.uri, origin, home)
    for properties in (moved.mlmd_artifact.properties, moved.mlmd_artifact.custom_properties):
        for value in properties.values():
            if value.HasField("string_value"):
                value.string_value = _replaced(value.string_value, origin, home)
    return moved


def _replaced(value: Any, origin: Path, home: Path) -> Any:
    if isinstance(value, str):
        for before, after in _pairs(home, origin):
            value = value.replace(before, after)
    return value
