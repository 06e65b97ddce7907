"""Finds the reader of a file by the ending of its name."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from lstmlm.corpus.reading.compression import COMPRESSIONS
from lstmlm.corpus.reading.content import Foreign
from lstmlm.corpus.reading.readers import READERS, Reader, TextReader
from lstmlm.recipe.sections.corpus import CorpusSection

_PLAIN_TEXT = "txt"


@dataclasses.dataclass(frozen=True)
class FileKinds:
    """The kinds of files that are read.

    Attributes:
        readers: Name -> reader; where two have the same ending, the later one reads it.
        encoding: That of text files which are neither UTF-8 nor recognised; empty: they are refused.
        tables: The reader of files of text whose lines are rows of a table; empty: their lines are texts.
    """

    readers: Mapping[str, Reader]
    encoding: str = ""
    tables: str = ""

    @functools.cached_property
    def _by_ending(self) -> dict[str, str]:
        found = {ending: name for name, reader in self.readers.items() for ending in reader.endings}
        return {ending: self.tables if self.tables and name == _PLAIN_TEXT else name for ending, name in found.items()}

    @functools.cached_property
    def endings(self) -> tuple[str, ...]:
        """What names of files end in; text may be compressed."""
        text = [ending for ending, name in self._by_ending.items() if self._is_text(name)]
        return (*self._by_ending, *(f"{ending}.{outer}" for ending in text for outer in COMPRESSIONS))

    @functools.cached_property
    def foreign(self) -> tuple[Foreign, ...]:
        """What files begin with that are not text, each with its name and what to do where text is expected."""
        return tuple(
            (reader.magic, f"a {name} file", f"Give it the ending {reader.endings[0]}")
            for name, reader in self.readers.items()
            if reader.magic
        )

    def reader_of(self, name: str) -> tuple[str, str] | None:
        """Returns the reader of a file, and the compression that its name implies or an empty text; None: no reader."""
        if found := self._ends(name):
            return found, ""
        compression = compression_of(name)
        found = self._ends(name.lower().removesuffix(f".{compression}"))
        return (found, compression) if compression and found and self._is_text(found) else None

    def usual(self, *, columns: bool = False) -> str:
        """Returns the usual endings as words: of those with columns only, or of all, with those that are compressed."""
        found = [reader for reader in self.readers.values() if reader.has_columns or not columns]
        text = [reader.endings[0] for reader in found if isinstance(reader, TextReader)]
        other = [reader.endings[0] for reader in found if not isinstance(reader, TextReader)]
        if columns:
            return listed([*text, *other])
        return f"{listed(text)}, which may be compressed" + (f", or in {listed(other)}" if other else "")

    def _ends(self, name: str) -> str | None:
        last = PurePosixPath(name.lower()).name
        fitting = [ending for ending in self._by_ending if last.endswith(ending) and len(last) > len(ending)]
        return self._by_ending[max(fitting, key=len)] if fitting else None

    def _is_text(self, name: str) -> bool:
        return isinstance(self.readers[name], TextReader)


def file_kinds(corpus: CorpusSection | None = None, *, requests: bool = False, stores: bool = False) -> FileKinds:
    """Returns the kinds of files that a recipe reads.

    Args:
        corpus: Names readers of other packages, and says how files are written; None: it does neither.
        requests: Those of the input of the batch job, not of a corpus.
        stores: Only those that are read from a store.

    Raises:
        UserError: A reader that the recipe names cannot be imported.
    """
    if corpus is None:
        return _file_kinds((), requests, stores, "", "")
    tables = ("tsv" if corpus.delimiter == "\t" else "csv") if corpus.delimiter or corpus.columns else ""
    return _file_kinds(corpus.readers, requests, stores, corpus.encoding or "", tables)


@functools.lru_cache(maxsize=100)
def _file_kinds(named: Sequence[str], requests: bool, stores: bool, encoding: str, tables: str) -> FileKinds:
    every = {name: READERS.load(name) for name in dict.fromkeys([*READERS.builtin(), *named])}
    return FileKinds(
        {
            name: reader
            for name, reader in every.items()
            if (reader.of_corpora or requests) and (reader.of_stores or not stores)
        },
        encoding,
        tables,
    )


def compression_of(name: str) -> str:
    """Returns the compression that a file's ending implies: `gz`, `bz2`, `xz`, `zst`, or nothing."""
    ending = PurePosixPath(name.lower()).suffix.removeprefix(".")
    return ending if ending in COMPRESSIONS else ""


def listed(words: Sequence[str]) -> str:
    """Returns words as `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
