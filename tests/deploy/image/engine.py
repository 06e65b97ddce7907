"""Builds and runs images by buildah and podman, with a storage of their own below `build/image`.

No registry is needed: what the Dockerfile starts from is made here, Debian's Python by debootstrap and uv from this
checkout. The storage stays, so that another run of the tests builds only what has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NEEDED = ("buildah", "podman", "runc", "debootstrap", "catatonit")
BASE = "docker.io/library/python:3.11-slim-bookworm"
UV = "ghcr.io/astral-sh/uv:0.13.9"
"""Of `deploy/docker/Dockerfile`, and of the Makefile."""
DEBIAN = "http://deb.debian.org/debian"
CERTIFICATES = "/usr/local/share/machine.crt"
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
BUILD_SECONDS = 5400
SETTINGS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
"""`containers.conf`: crun does not know control groups of both versions at once, and no limit may be raised here."""
SAFE = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000")
"""As the Pods of `lstmlm render`."""


def missing() -> str:
    """Returns why no image can be built here; empty: one can."""
    if absent := [name for name in NEEDED if shutil.which(name) is None]:
        return f"apt-get install {' '.join(absent)}"
    return "" if os.geteuid() == 0 else "debootstrap needs root"


class Engine:
    """Buildah and podman on one storage."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Takes the checkout, and the folder of the storage."""
        self._root, self._folder = root, folder
        self._storage = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        (folder / "containers.conf").write_text(SETTINGS, encoding="utf-8")

    def podman(self, *words: object, check: bool = True, timeout: float = 1200) -> subprocess.CompletedProcess[str]:
        """Runs podman."""
        return self._call(["podman", *self._storage, *map(str, words)], check, timeout)

    def build(self, tag: str) -> None:
        """Builds `deploy/docker/Dockerfile` as it is; layers of an earlier build are used again."""
        self.base()
        if self.podman("image", "exists", UV, check=False).returncode:
            self._make_uv()
        file = str(self._root / "deploy" / "docker" / "Dockerfile")
        words = ["--layers", "--network", "host", "--file", file, "--tag", tag, str(self._root)]
        self._buildah(*words)

    def base(self) -> str:
        """Returns the image that replaces Docker's image of Python; it is made at the first call."""
        if self.podman("image", "exists", BASE, check=False).returncode:
            self._make_base()
        return BASE

    def megabytes(self, tag: str) -> float:
        """Returns the size of an image with its base."""
        return int(self.podman("image", "inspect", "--format", "{{.Size}}", tag).stdout) / 1e6

    def _buildah(self, *words: str) -> None:
        limits = ["--runtime", "runc", "--ulimit", "nofile=4096:4096"]
        self._call(["buildah", *self._storage, "bud", *limits, *words], True, BUILD_SECONDS)

    def _make_base(self) -> None:
        """Imports a Debian with Python under the name of Docker's image; it trusts whom this machine trusts."""
        with tempfile.TemporaryDirectory(dir=self._folder / "tmp") as folder:
            chosen = ["--variant=minbase", "--include=python3,ca-certificates", "bookworm", folder, DEBIAN]
            self._call(["debootstrap", *chosen], True, BUILD_SECONDS)
            for pattern in ("var/cache/apt/*", "var/lib/apt/lists/*"):
                for path in Path(folder).glob(pattern):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            trusted = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
            shutil.copyfile(trusted, folder + CERTIFICATES)
            archive = self._folder / "tmp" / "base.tar"
            self._call(["tar", "--create", "--file", str(archive), "--directory", folder, "."], True, BUILD_SECONDS)
        variables = [f"ENV=SSL_CERT_FILE={CERTIFICATES}", f"ENV=PATH={PATH}"]
        self.podman("import", *(word for one in variables for word in ("--change", one)), archive, BASE)
        archive.unlink()

    def _make_uv(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._folder / "tmp") as folder:
            shutil.copy(self._root / ".uv" / "bin" / "uv", folder)
            (Path(folder) / "Dockerfile").write_text("FROM scratch\nCOPY uv /uv\n", encoding="utf-8")
            self._buildah("--tag", UV, folder)

    def _call(self, words: list[str], check: bool, timeout: float) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "TMPDIR": str(self._folder / "tmp")}
        environment["CONTAINERS_CONF"] = str(self._folder / "containers.conf")
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=timeout)
        assert not check or done.returncode == 0, f"{' '.join(words)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done
