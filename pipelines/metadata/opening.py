"""Opens ML Metadata: waits for a server that is away for a while, and says in one line why it cannot be opened."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator

from ml_metadata import errors
from ml_metadata.metadata_store import MetadataStore

from lstmlm.errors import TryAgain, UserError
from pipelines.metadata.place import VARIABLE, Connection, named

PATIENCE = 60.0
"""Seconds that a server may be away, as when it is started again, before a run ends and is to be tried again."""

_PAUSE = 0.5
_AWAY = re.compile(
    r"connection refused|could not connect|can't connect|can not connect|starting up|not yet accepting connections"
    r"|recovery mode|shutting down|timeout|timed out"
    r"|no route|unreachable|gone away|lost connection|server closed|terminating connection|connection reset"
    r"|too many (?:clients|connections)",
    re.IGNORECASE,
)
_MADE_TWICE = re.compile(r'already exists|concurrent connection|duplicate key value violates unique constraint "pg_')
_UNKNOWN_HOST = re.compile(r"could not translate host name|unknown (?:mysql )?server host", re.IGNORECASE)
_NOTHING_SAID = re.compile(r"errno: , error:")
"""All that ML Metadata says where a MySQL server cannot be opened, whatever the reason."""
_PROBE_SECONDS = 5.0
_REASON = re.compile(r"(?:PostgreSQL error: |mysql_real_connect failed: |metadata source error: )(?P<reason>[^\n]+)")
_FAILURES = (RuntimeError, errors.StatusError)


@contextlib.contextmanager
def server_errors(connection: Connection) -> Iterator[None]:
    """Turns what ML Metadata raises inside the block, where its server goes away meanwhile, into `TryAgain`.

    Args:
        connection: Where the metadata is; errors of SQLite stay what they are.

    Raises:
        TryAgain: The server went away.
    """
    try:
        yield
    except _FAILURES as error:
        text = str(error)
        if connection.HasField("sqlite") or not ("metadata source error" in text or _AWAY.search(text)):
            raise
        raise _away(connection, text) from error


def open_store(connection: Connection, patience: float = PATIENCE) -> MetadataStore:
    """Opens ML Metadata.

    Args:
        connection: Where it is.
        patience: Seconds to wait for a server that is away.

    Raises:
        TryAgain: The server was away for all the time.
        UserError: It refuses the user or the database.
    """
    if connection.HasField("sqlite"):
        return MetadataStore(connection)
    end = time.monotonic() + patience
    while True:
        try:
            with _what_is_said() as said:
                return MetadataStore(connection)
        except _FAILURES as error:
            reason = _reason(error, said)
            if _NOTHING_SAID.search(reason):
                reason = _asked_of_mysql(connection)
            if _UNKNOWN_HOST.search(reason) or not _is_passing(error, reason):
                what = f"ML Metadata cannot be opened: {reason}"
                hint = f"Check the URL in {VARIABLE}; the user needs the right to make tables in the database"
                # ML Metadata makes it without quotes, so PostgreSQL makes it by another name.
                if "does not exist" in reason:
                    hint = f"Make the database, or write its name in {VARIABLE} in small letters: then it is made"
                raise UserError(what, where=named(connection), hint=hint) from error
            if time.monotonic() >= end:
                raise _away(connection, reason) from error
        time.sleep(_PAUSE)


def _asked_of_mysql(connection: Connection) -> str:
    """Returns why a MySQL server cannot be opened: whether anything answers there decides."""
    server = connection.mysql
    try:
        socket.create_connection((server.host, server.port), _PROBE_SECONDS).close()
    except socket.gaierror:
        return "unknown mysql server host"
    except OSError as error:
        return f"could not connect: {error.strerror or error}"
    return "access denied: the user, the password, or an authentication plugin other than mysql_native_password"


def _is_passing(error: Exception, reason: str) -> bool:
    # Two processes that make the database or its tables at the same time: one of them fails, and finds them next time.
    return isinstance(error, errors.AbortedError) or bool(_MADE_TWICE.search(reason) or _AWAY.search(reason))


def _away(connection: Connection, reason: str) -> TryAgain:
    found = _REASON.search(reason)
    what = f"the server of ML Metadata is away ({found['reason'].strip() if found else reason.strip().splitlines()[0]})"
    return TryAgain(what, where=named(connection), hint="Run it again when the server is back")


def _reason(error: Exception, said: list[str]) -> str:
    """Returns why a connection failed: of PostgreSQL, ML Metadata only writes that to standard error."""
    text = "\n".join([*said, str(error)])
    found = _REASON.search(text)
    return (found["reason"] if found else text).strip().rstrip(".")


@contextlib.contextmanager
def _what_is_said() -> Iterator[list[str]]:
    """Keeps what is written to standard error inside the block, by C++ too; gives it as the one element of a list."""
    said: list[str] = []
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
