"""Detects the compression, encoding and line ends of a corpus file from its first bytes.

Names are wrong too often: gzip without `.gz`, exports in UTF-16, one JSON array where lines of JSON are expected. The
content decides, and what cannot be read as text is refused by the name of what it is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lstmlm.corpus.reading.compression import MAGIC, NAMES, Damaged, decompressed
from lstmlm.corpus.reading.openers import is_remote, read_bytes
from lstmlm.errors import UserError

SAMPLE_BYTES = 1 << 16
"""Bytes looked at: at the beginning, and of a plain local file in the middle and at the end too."""

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive", "Unpack it: unzip"),
    (b"%PDF", "a PDF document", "Extract its text first, for example by pdftotext"),
    (b"SQLite format 3\0", "an SQLite database", "Export the table as .csv or .jsonl"),
    (b"Obj\x01", "an Avro file", "Convert it to .parquet or .jsonl"),
    (b"ORC", "an ORC file", "Convert it to .parquet"),
    (b"ARROW1\0\0", "an Arrow file", "Give it the ending .arrow"),
    (b"\x93NUMPY", "a NumPy array", "Write its texts as .txt or .jsonl"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it"),
    (b"Rar!", "a rar archive", "Unpack it"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "Unpack it, or compress it with gzip or zstd"),
    (b"\x89HDF", "an HDF5 file", "Export its texts as .parquet or .jsonl"),
    (b"\x80\x04\x95", "a Python pickle, which is never read", "Export its texts as .jsonl"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Save it as text or .csv"),
    (b"\x7fELF", "a program", "Remove it from the corpus"),
)
_BOMS = (  # the longer ones first: that of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TAR_MAGIC = slice(257, 262)
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœùúûüßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÙÚÛÜ«»°’‘“”–—…€")
_TEXT_LETTER = re.compile(r"[\s\w]")


class Content(NamedTuple):
    r"""How the text of a file is stored.

    Attributes:
        encoding: `utf-8`, `utf-16`, `utf-32`, one of the last two with its byte order, or what the recipe says.
        returns: Whether lines end in `\r` only.
        array: Whether the file is one JSON array, its elements the rows.
    """

    encoding: str = "utf-8"
    returns: bool = False
    array: bool = False


PLAIN = Content()


class NoRows(UserError):
    """A file holds no rows, though its name ends as if: in a folder it is left out."""


Foreign = tuple[bytes, str, str]
"""What a file of another kind begins with, what it is, and what to do."""


def is_empty(path: str, size: int) -> bool:
    """Says whether a file holds nothing, or no more than a byte order mark."""
    marks = {codecs.BOM_UTF8, *(bom for bom, _ in _BOMS)}
    return not size or (size <= max(map(len, marks)) and b"".join(read_bytes(path, 0, size)) in marks)


def content_of(
    path: str,
    size: int,
    named: str,
    holds_array: Callable[[str, str], bool],
    others: Sequence[Foreign] = (),
    legacy: str = "",
) -> tuple[str, Content]:
    """Returns a file's compression, as its first bytes show, and how the text within is stored.

    Args:
        path: The file, local or a URL.
        size: Its size in bytes.
        named: The compression that its name implies: `gz`, `bz2`, `zst`, `xz`, or empty.
        holds_array: Of its reader: says whether the file with a path and the text it begins with is one JSON array.
        others: The kinds of files that other readers read.
        legacy: The encoding of text that is not UTF-8 and not recognised; empty: it is refused.

    Raises:
        UserError: It cannot be read, it is neither compressed as its name says nor text, or its text has an encoding
            that is not supported.
    """
    stored = b"".join(read_bytes(path, 0, min(size, SAMPLE_BYTES)))
    compression = _compression(stored)
    if named and not compression:
        _check_is_text(path, stored[:512], named)
    head = _expanded(path, size, compression) if compression else stored
    _refuse_foreign(path, head, others)
    return compression, _text_content(path, size, compression, holds_array, head, legacy)


def _compression(head: bytes) -> str:
    return next((kind for kind, magic in MAGIC.items() if head.startswith(magic)), "")


def _check_is_text(path: str, head: bytes, named: str) -> None:
    """Refuses a file that its name calls compressed and that is neither that nor text."""
    if _is_binary(head) or len(head) < 2:
        hint = f"Compress it with {NAMES[named]}, or give it the ending of what it is"
        raise UserError(f"not a {NAMES[named]} file", where=path, hint=hint)


def _text_content(
    path: str, size: int, compression: str, holds_array: Callable[[str, str], bool], head: bytes, legacy: str
) -> Content:
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), None) or _wide_encoding(head)
    if encoding is None:
        encoding = "utf-8"
        samples = [head] if compression or is_remote(path) else [head, *_later(path, size)]
        if not legacy:
            _refuse_legacy(path, samples)
        elif all(data.isascii() for data in samples) or not all(map(_is_utf8, samples)):
            encoding = legacy  # all of ASCII: what follows is as the recipe says
        if _is_binary(head):
            raise UserError("binary data, not text", where=path, hint="Remove it, or export its text as UTF-8")
    text = head.decode(encoding, "ignore").lstrip("\ufeff")
    returns = text.count("\r") > 1 and "\n" not in text
    return Content(encoding, returns, holds_array(path, text))


def _expanded(path: str, size: int, compression: str) -> bytes:
    """Returns the beginning of what a compressed file expands to."""
    found = bytearray()
    try:
        for part in decompressed(path, size, compression, max_expansion=1000):
            found += part
            if len(found) >= SAMPLE_BYTES:
                break
    except Damaged:
        pass  # counted where the rows are read
    return bytes(found[:SAMPLE_BYTES])


def _later(path: str, size: int) -> Iterator[bytes]:
    """Yields samples of the middle and the end of a large file, cut at line feeds so that no character is cut."""
    if size < 4 * SAMPLE_BYTES:
        return
    for start in (size // 2, size - SAMPLE_BYTES):
        data = b"".join(read_bytes(path, start, start + SAMPLE_BYTES))
        yield data[data.find(b"\n") + 1 :]


def _refuse_foreign(path: str, head: bytes, others: Sequence[Foreign]) -> None:
    known = (*others, *_FOREIGN)
    found = next(((what, hint) for magic, what, hint in known if head.startswith(magic)), None)
    if found is None and head[_TAR_MAGIC] == b"ustar":
        found = "a tar archive", "Unpack it: tar -xf"
    if found is None and (kind := _compression(head)):
        found = f"{NAMES[kind]} within another compression", "Unpack it once"
    if found is not None:
        raise UserError(f"the file is {found[0]}, not text", where=path, hint=found[1])


def _wide_encoding(head: bytes) -> str | None:
    """Recognises UTF-16 and UTF-32 without a byte order mark: many zero bytes, or some in what is no UTF-8."""
    zeros = head.count(0)
    if not zeros or (zeros < len(head) * 0.2 and _is_utf8(head)):
        return None
    for name, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        whole = head[: len(head) // width * width]
        text = whole.decode(name, "replace")[:-1]  # the last may be the first half of a pair
        if len(text) > 1 and "\0" not in text and "\ufffd" not in text and _reads_as_text(text):
            return name
    return None


def _is_utf8(head: bytes) -> bool:
    try:
        _without_cut_end(head).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _reads_as_text(text: str) -> bool:
    letters = len(_TEXT_LETTER.findall(text))
    spaces = sum(text.count(space) for space in " \n\r\t\u3000,，。、")
    return letters > len(text) * 0.6 and (spaces > 0 or len(text) < 32)


def _refuse_legacy(path: str, samples: list[bytes]) -> None:
    """Refuses text in an older encoding: most of its bytes beyond ASCII are no UTF-8.

    One broken character in a file of UTF-8 is not that; its line becomes a dead letter.
    """
    good = bad = 0
    for data in samples:
        if data.isascii():
            continue
        whole = _without_cut_end(data)
        bad += whole.decode("utf-8", "replace").count("\ufffd") - whole.count("\ufffd".encode())
        text = whole.decode("utf-8", "ignore")
        good += len(text) - len(text.encode("ascii", "ignore"))
    if bad < 2 or bad <= good:
        return
    name = legacy_name(b"".join(samples))
    option = f"corpus.encoding: {name}" if name else "corpus.encoding to its encoding"
    convert = f"convert it: iconv -f {name} -t UTF-8" if name else "convert it to UTF-8, for example with iconv"
    hint = f"Set {option} (of the batch job's input inference.encoding), or {convert}"
    guess = f"; it looks like {name}" if name else ""
    raise UserError(f"the text is not UTF-8{guess}", where=path, hint=hint)


def _without_cut_end(data: bytes) -> bytes:
    """Removes up to three bytes of a character that the end of the sample cut."""
    for length in (1, 2, 3):
        if len(data) >= length and data[-length] >= 0xC0:
            return data[:-length]
    return data


def legacy_name(data: bytes) -> str:
    """Returns the encoding that text looks like which is not UTF-8; empty: like none."""
    import charset_normalizer

    # The letters of Western Europe are also those of other code pages, at other places, and short texts fit several.
    beyond = [letter for letter in data.decode("cp1252", "replace") if letter > "\x7f"]
    if sum(letter in _WESTERN for letter in beyond) > 0.9 * len(beyond):
        return "CP1252"
    best = charset_normalizer.from_bytes(data[: 2 * SAMPLE_BYTES]).best()
    return "" if best is None or best.encoding in ("utf_8", "ascii") else best.encoding.upper().replace("_", "-")


def _is_binary(head: bytes) -> bool:
    return len(_CONTROL.findall(head)) > len(head) * 0.1
