"""Database servers of their own, on a free port of 127.0.0.1, that a test starts, kills and starts again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

from tests.stores import free_port, listens
from tests.waiting import wait_until

PASSWORD = "se cret'\\@1"
"""With everything that has a meaning to libpq, a shell or a URL."""
QUOTED = "se%20cret%27%5C%401"


class Server:
    """A server with one user, `lstmlm`.

    Args:
        folder: An empty one for its data, which others may enter.
    """

    scheme = ""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log, self.port = folder, folder / "log", free_port()
        self._as_whom: dict[str, Any] = {}
        if os.geteuid() == 0:  # which servers refuse to run as
            os.chown(folder, 65534, 65534)
            self._as_whom = {"user": 65534, "group": 65534, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "runs", password: str = QUOTED) -> str:
        """Returns what the environment variable is to hold."""
        return f"{self.scheme}://lstmlm:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it, unless it runs, and waits until it listens."""
        if self._process is not None:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, **self._as_whom)
        wait_until(self._listens, "the database server")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it by a signal."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def stop_gently(self) -> None:
        """Ends it without waiting for its clients."""
        self.stop()

    def crash(self) -> None:
        """Ends it as if the power had gone."""
        self.stop(signal.SIGKILL)

    def _command(self) -> list[str | Path]:
        raise NotImplementedError

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        return listens(self.port)


def postgres_programs(folder: Path) -> Path:
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


class Postgres(Server):
    """PostgreSQL; ML Metadata makes the databases as they are asked for."""

    scheme = "postgresql"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._programs = postgres_programs(folder)
        password = folder / "password"
        password.write_text(PASSWORD)
        made = ["-D", folder / "data", "-U", "lstmlm", "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8"]
        subprocess.run(
            [self._programs / "initdb", *made, "--no-sync"], check=True, capture_output=True, **self._as_whom
        )

    def stop_gently(self) -> None:
        """Disconnects its clients, which SIGTERM would wait for."""
        self.stop(signal.SIGINT)

    def crash(self) -> None:
        """See `Server.crash`; SIGKILL would leave shared memory behind."""
        self.stop(signal.SIGQUIT)

    def _command(self) -> list[str | Path]:
        data = self._folder / "data"
        return [self._programs / "postgres", "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]


class MariaDb(Server):
    """MariaDB of this machine."""

    scheme = "mysql"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        install, self._server = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
        assert install is not None
        made = ["--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"]
        subprocess.run([install, *made, "--skip-test-db"], check=True, capture_output=True, **self._as_whom)
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        user = folder / "user.sql"
        made_by = [
            f"CREATE USER lstmlm@'127.0.0.1' IDENTIFIED BY '{quoted}';",
            "GRANT ALL ON *.* TO lstmlm@'127.0.0.1';",
        ]
        user.write_text("\n".join(made_by))
        self._user: Path | None = user

    def _command(self) -> list[str | Path]:
        first = [] if self._user is None else [f"--init-file={self._user}"]
        self._user = None
        assert self._server is not None
        where = [f"--datadir={self._folder / 'data'}", f"--socket={self._folder / 'socket'}", f"--port={self.port}"]
        return [self._server, "--no-defaults", *where, "--bind-address=127.0.0.1", "--skip-name-resolve", *first]


def has_mariadb() -> bool:
    """Says whether this machine has MariaDB."""
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None
