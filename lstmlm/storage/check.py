"""Looks at a store before any work: that it answers, that the bucket is there, and that it can be written."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.storage.clients import check_answers, hasty
from lstmlm.storage.faults import reported
from lstmlm.storage.paths import StorePath


def check_writable(folder: Path) -> None:
    """Checks, within 15 seconds, that an output in a store can be written; does nothing for a folder of this machine.

    Raises:
        UserError: The bucket is missing or in another region, or the keys may not write there.
        TryAgain: The store does not answer.
    """
    if not isinstance(folder, StorePath):
        return
    if not folder.bucket:
        raise UserError("no bucket is named", where=str(folder), hint="Write it as s3://BUCKET/FOLDER")
    check_answers(folder.scheme)
    probe = folder.with_name(f".{folder.name}.probe-{secrets.token_hex(8)}") if folder.key else folder / ".probe"
    with reported(str(folder)):
        client = hasty(folder.scheme)
        client.pipe_file(probe.address, b"")
        with contextlib.suppress(FileNotFoundError):
            client.rm_file(probe.address)
