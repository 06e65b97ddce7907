"""Standard input as an input file, and standard output as an output folder: `-`, pipes and `/dev/stdin`."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lstmlm.cli.logs import InternalError
from lstmlm.corpus.reading.readers import READERS, TextReader
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.errors import UserError
from lstmlm.inference.output.format import output_format
from lstmlm.recipe.sections.corpus import CorpusSection

STANDARD = Path("-")
_HEAD_BYTES = 1 << 16
_GZIP = b"\x1f\x8b"


@contextlib.contextmanager
def input_file(path: Path | None, column: str, corpus: CorpusSection | None = None) -> Iterator[Path | None]:
    """Yields the path of an input that can be read several times: what comes through a pipe is copied first.

    The copy gets the ending of the reader that recognises it, such as that of JSON lines where it begins with `{` or
    `[`, and that of a table where the first line names the column of the text among others; otherwise it is text.
    Records without an id are `stdin.jsonl:1`.

    Args:
        path: `-`, a pipe such as `/dev/stdin`, a file, a folder or a glob; None stays None.
        column: Name of the column of the text.
        corpus: Names readers of other packages, and says how tables are written.
    """
    if path is None or not _is_stream(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lstmlm-stdin-") as folder:
        copy = Path(folder) / "stdin"
        with _opened(path) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        with copy.open("rb") as stream:
            ending = _ending(stream.read(_HEAD_BYTES), column, corpus)
        yield copy.rename(copy.with_suffix(ending))


def _is_stream(path: Path) -> bool:
    if path in (STANDARD, Path("/dev/stdin")):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _opened(path: Path) -> BinaryIO:
    if path in (STANDARD, Path("/dev/stdin")):
        if sys.stdin is None or sys.stdin.isatty():
            hint = "Pipe an input into the command, or name a file"
            raise UserError("standard input is a terminal", where="--input", hint=hint)
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    return path.open("rb")


def _ending(head: bytes, column: str, corpus: CorpusSection | None) -> str:
    """Returns the ending of what a stream begins with."""
    kinds = file_kinds(corpus, requests=True)
    readers = kinds.readers.values()
    if kinds.tables:
        return kinds.readers[kinds.tables].endings[0]
    text = _text(head)
    for reader in readers:
        if reader.magic and head.startswith(reader.magic):
            return reader.endings[0]
        if isinstance(reader, TextReader) and reader.recognises(text, column):
            return reader.endings[0]
    return READERS.load("txt").endings[0]


def _text(head: bytes) -> str:
    if head.startswith(_GZIP):
        head = zlib.decompressobj(31).decompress(head, _HEAD_BYTES)
    return head.decode("utf-8-sig", "replace").lstrip()


@contextlib.contextmanager
def output_folder(path: Path, files: str, format: str = "jsonl") -> Iterator[Path]:
    """Yields the folder to publish; for `-` a temporary one whose lines go to standard output at the end.

    Until then what is printed on standard output goes to standard error. Dead letters go there too.

    Args:
        path: `-`, or the folder.
        files: Pattern of the names of the files with the lines.
        format: Their format, as `inference.format` names it.

    Raises:
        UserError: The format is not one for standard output.
    """
    if path != STANDARD:
        yield path
        return
    if not output_format(format).streams:
        what = f"the format {format} is not one for standard output"
        raise UserError(what, where="inference.format", hint="Leave it out, or name a folder")
    with _folder("lstmlm-stdout-") as parent, _standard_output() as stream:
        folder = parent / "out"
        yield folder
        with contextlib.suppress(BrokenPipeError), stream:  # such as of `head`
            for file in sorted(folder.glob(files)):
                with file.open("rb") as lines:
                    shutil.copyfileobj(lines, stream)
            stream.flush()
        for letter in (folder / "dead_letters.jsonl").read_text(encoding="utf-8").splitlines():
            print(f"lstmlm: dead letter: {letter}", file=sys.stderr)


@contextlib.contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    """Yields a temporary folder; of a failure of ours it stays, for the log in it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    except InternalError:
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """Yields standard output, and lets what is printed meanwhile go to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield os.fdopen(os.dup(kept), "wb")
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
