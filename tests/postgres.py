"""A PostgreSQL server of its own, on a free port of 127.0.0.1, that a test starts, kills and starts again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

PASSWORD = "se cret'\\@1"
"""With everything that has a meaning to libpq, a shell or a URL."""
QUOTED = "se%20cret%27%5C%401"


def programs(folder: Path) -> Path:
    """Returns the folder of PostgreSQL's programs, which the package `pgserver` brings along.

    Args:
        folder: Where they are copied to if they are in a folder that only its owner may enter.
    """
    found = importlib.util.find_spec("pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & stat.S_IXOTH for parent in package.parents):
        libraries = package.with_name("pgserver.libs")
        shutil.copytree(libraries, folder / libraries.name)
        package = Path(shutil.copytree(package, folder / package.name))
    return package / "pginstall" / "bin"


class Postgres:
    """A server with one user, `lstmlm`; databases are made as they are asked for.

    Args:
        folder: An empty one for its data, which others may enter.
    """

    def __init__(self, folder: Path) -> None:
        self._data, self._log, self._programs = folder / "data", folder / "log", programs(folder)
        self._as_whom: dict[str, Any] = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            os.chown(folder, 65534, 65534)
            self._as_whom = {"user": 65534, "group": 65534, "extra_groups": []}
        password = folder / "password"
        password.write_text(PASSWORD)
        command = [self._programs / "initdb", "-D", self._data, "-U", "lstmlm", "--pwfile", password, "--no-sync"]
        subprocess.run(
            [*command, "-A", "scram-sha-256", "-E", "UTF8"], check=True, capture_output=True, **self._as_whom
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "runs", password: str = QUOTED) -> str:
        """Returns what the environment variable is to hold."""
        return f"postgresql://lstmlm:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it, unless it runs, and waits until it listens."""
        if self._process is not None:
            return
        command = [self._programs / "postgres", "-D", self._data, "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, **self._as_whom)
        wait_until(self._listens, "PostgreSQL")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: at once, which disconnects its clients, or by SIGQUIT as if the power had gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        with socket.socket() as there:
            return there.connect_ex(("127.0.0.1", self.port)) == 0
