"""Fetches the jars of jars.txt: with Maven where it is installed, else by https from Maven Central.

Every jar is checked against the sha256 next to its name. Nothing but Python's standard library is needed; proxies are
those of the environment, and `MAVEN_CENTRAL` names a mirror.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "jars.txt"
CENTRAL = "https://repo1.maven.org/maven2"
CONNECTIONS = 8
SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Jar:
    """A line of jars.txt, which is as `sha256sum` writes it: the hash, and the path below a Maven repository."""

    sha256: str
    path: str

    @property
    def name(self) -> str:
        """The file name."""
        return Path(self.path).name


def jars() -> list[Jar]:
    """Returns the lines of jars.txt."""
    return [Jar(*line.split()) for line in LIST.read_text(encoding="utf-8").splitlines()]


def fetch(folder: Path) -> None:
    """Puts the jars into a folder, those that are not there already; leaves no others in it.

    Raises:
        OSError: A jar cannot be had.
        RuntimeError: A jar is not the one that the list names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {jar.name: jar for jar in jars()}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    missing = [jar for jar in wanted.values() if not _is_there(folder / jar.name, jar)]
    if not missing:
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        if shutil.which("mvn"):
            _copy_with_maven(Path(scratch))
        else:
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                list(pool.map(lambda jar: _download(jar, Path(scratch)), missing))
        for jar in missing:
            if not _is_there(Path(scratch) / jar.name, jar):
                raise RuntimeError(f"{jar.name} is missing, or not the one that {LIST} names")
            os.replace(Path(scratch) / jar.name, folder / jar.name)


def _is_there(path: Path, jar: Jar) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256


def _copy_with_maven(folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    done = subprocess.run(
        ["mvn", "-B", "-q", "-f", HERE / "pom.xml", *goal], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise OSError(f"Maven failed: {done.stdout[-2000:]}")


def _download(jar: Jar, folder: Path) -> None:
    central = os.environ.get("MAVEN_CENTRAL", CENTRAL).rstrip("/")
    with (
        urllib.request.urlopen(f"{central}/{jar.path}", timeout=SECONDS) as reply,
        (folder / jar.name).open("wb") as out,
    ):
        shutil.copyfileobj(reply, out)


def main() -> None:
    """Fetches into the folder named, and says how much is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/flink/jars"), help="where to (%(default)s)")
    folder = parser.parse_args().folder
    try:
        fetch(folder)
    except (OSError, RuntimeError) as error:
        sys.exit(f"fetch.py: {error}")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(jars())} jars, {size / 1e6:.0f} MB in {folder}")


if __name__ == "__main__":
    main()
