"""Where ML Metadata is kept: SQLite in the run's folder, or a server that the environment names by a URL.

For a run in a store SQLite is a file of this machine, which is kept in the store (`pipelines.stores.metadata`).

A server serves schedulers whose tasks run on several machines, on file systems that have no locks. The URL is in the
environment and nowhere else, for it holds a password: it is in no recipe, manifest or log.
"""

from __future__ import annotations

import hashlib
import os
import urllib.parse
from pathlib import Path
from typing import TypeAlias

from ml_metadata.proto import metadata_store_pb2

from lstmlm.errors import UserError
from pipelines.stores.metadata import metadata_file

Connection: TypeAlias = metadata_store_pb2.ConnectionConfig

VARIABLE = "LSTMLM_METADATA"
"""Environment variable with the URL of the server; absent or empty: SQLite."""

_FORM = "postgresql://USER:PASSWORD@HOST:5432/DATABASE or mysql://USER:PASSWORD@HOST:3306/DATABASE"
_PORTS = {"postgresql": 5432, "mysql": 3306}
_NAMES = {"postgres": "postgresql", "mariadb": "mysql"}
"""Other spellings of the schemes."""


def is_shared() -> bool:
    """Returns whether a server keeps the metadata."""
    return bool(os.environ.get(VARIABLE))


def connection_for(home: Path, *, read_only: bool = False) -> Connection:
    """Returns the connection to the metadata of a run.

    Args:
        home: The run's folder, absolute.
        read_only: Make no SQLite file.

    Raises:
        UserError: The URL is of another form.
    """
    url = os.environ.get(VARIABLE)
    if url:
        return of_url(url)
    config = Connection()
    config.sqlite.filename_uri = str(metadata_file(home))
    modes = metadata_store_pb2.SqliteMetadataSourceConfig
    config.sqlite.connection_mode = modes.READONLY if read_only else modes.READWRITE_OPENCREATE
    return config


def of_url(url: str) -> Connection:
    """Returns the connection to a server.

    Args:
        url: `postgresql://` or `mysql://`; letters that have a meaning in URLs are written as `%40` and the like.

    Raises:
        UserError: It is of another form. The message does not repeat it.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = urllib.parse.urlsplit(""), None, None
    scheme = _NAMES.get(parts.scheme, parts.scheme)
    database = urllib.parse.unquote(parts.path.lstrip("/"))
    if scheme not in _PORTS or not host or not parts.username or not database or "/" in database:
        raise UserError("not the URL of a database server", where=VARIABLE, hint=f"Write {_FORM}")
    if parts.query or parts.fragment:
        raise UserError("the URL has options, and none are known", where=VARIABLE, hint=f"Write {_FORM}")
    user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
    config = Connection()
    if scheme == "mysql":
        # libmysql takes `localhost` for a socket file.
        config.mysql.host = "127.0.0.1" if host == "localhost" else host
        config.mysql.port = port or _PORTS[scheme]
        config.mysql.user, config.mysql.password, config.mysql.database = user, password, database
        return config
    config.postgresql.host, config.postgresql.port = host, str(port or _PORTS[scheme])
    # ML Metadata joins these to one string, in which libpq reads quotes.
    config.postgresql.user, config.postgresql.password = _quoted(user), _quoted(password)
    config.postgresql.dbname = database
    return config


def named(connection: Connection) -> str:
    """Returns how messages name the place: without user and password."""
    if connection.HasField("sqlite"):
        return connection.sqlite.filename_uri
    if connection.HasField("mysql"):
        return f"mysql://{connection.mysql.host}:{connection.mysql.port}/{connection.mysql.database}"
    server = connection.postgresql
    return f"postgresql://{server.host}:{server.port}/{server.dbname}"


def pipeline_name(name: str, home: Path) -> str:
    """Returns the name of a recipe's pipeline in ML Metadata: on a server with a digest of the run's folder.

    Args:
        name: The recipe's name.
        home: The run's folder, absolute.
    """
    if not is_shared():
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
