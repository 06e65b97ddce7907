"""Copies an export from an object store or a web server, once: every file is compared with the manifest."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from lstmlm.errors import TryAgain, UserError
from lstmlm.publish.cache import cache_folder, local_copy
from lstmlm.publish.folder import MANIFEST, is_finished, publish, read_manifest, sha256_file
from lstmlm.publish.manifest import Manifest, parse_manifest
from lstmlm.storage import StorePath, place

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WEB = ("http", "https")
_SECONDS = 60.0
_COPIED = 1 << 20


def is_url(place: str) -> bool:
    """Says whether a place is a URL, not a folder."""
    return _URL.match(place) is not None


def fetched(url: str) -> Path:
    """Returns the folder with the files of an export at a URL; what is there already is not copied again.

    Raises:
        UserError: It is no export, it cannot be read, or a file differs from the manifest.
        TryAgain: The server does not answer.
    """
    url = url.rstrip("/")
    if isinstance(stored := place(url), StorePath):
        read_manifest(stored, "export")
        return local_copy(stored)
    with tempfile.TemporaryDirectory(prefix="lstmlm-") as folder:
        manifest = _manifest(url, Path(folder) / MANIFEST)
    output = cache_folder() / "exports" / manifest.fingerprint
    if not is_finished(output, manifest.kind, manifest.fingerprint):
        with publish(output, manifest.kind, manifest.fingerprint) as draft:
            draft.facts = manifest.facts
            for name, known in manifest.files.items():
                target = draft.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(f"{url}/{urllib.parse.quote(name)}", target)
                if target.stat().st_size != known["bytes"] or sha256_file(target) != known["sha256"]:
                    what = "differs from the manifest of the export"
                    raise UserError(what, where=f"{url}/{name}", hint="Copy the export there again")
    read_manifest(output, "export")
    return output


def _manifest(url: str, copy: Path) -> Manifest:
    """Reads the manifest at a URL.

    Raises:
        UserError: There is none, or the folder is no export.
    """
    _copy(f"{url}/{MANIFEST}", copy)
    found = parse_manifest(copy)
    if found.kind != "export" or not re.fullmatch("[0-9a-f]{64}", found.fingerprint):
        what = f"a folder of kind `{found.kind:.40}`, not an export"
        raise UserError(what, where=url, hint="Name the output of `lstmlm export`")
    return found


def _copy(url: str, target: Path) -> None:
    with _opened(url) as source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream, _COPIED)


@contextlib.contextmanager
def _opened(url: str) -> Iterator[BinaryIO]:
    """Opens a URL for reading.

    Raises:
        UserError: There is no such file, or its kind of URL is not read.
        TryAgain: The server does not answer.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in _WEB:
        hint = "Give a folder, or a URL of s3://, gs:// or https://"
        raise UserError(f"URLs of {scheme}:// are not read", where=url, hint=hint)
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as stream:
            yield cast(BinaryIO, stream)
    except urllib.error.HTTPError as error:
        hint = "Check the address: the URL of an export ends before `/manifest.json`"
        raise UserError(f"the server answers {error.code} {error.reason}", where=url, hint=hint) from error
    except urllib.error.URLError as error:
        raise TryAgain(f"cannot be reached: {error.reason}", where=url, hint="Check the address") from error
