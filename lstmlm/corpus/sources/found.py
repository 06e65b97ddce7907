"""The result of a search for corpus files: what was found, what was left out, and the files to read."""

from __future__ import annotations

import dataclasses
from typing import Literal

from lstmlm.corpus.reading.content import PLAIN, Content
from lstmlm.corpus.reading.datasets.class_names import ClassNames

Split = Literal["train", "valid"]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A file: its name below the root, its path or URL, and its size in bytes.

    Attributes:
        name: Its name below the root.
        path: Its path or URL.
        size: Its size in bytes.
        identity: Device and inode, equal for two names of one file; None where the system has none.
        is_link: Whether the name is a symbolic link.
    """

    name: str
    path: str
    size: int
    identity: tuple[int, int] | None = dataclasses.field(default=None, compare=False)
    is_link: bool = dataclasses.field(default=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a folder or glob that is not read, and why.

    Attributes:
        name: Its name below the root.
        reason: `unknown_ending`, `linked_folder`, `no_file` (a socket, ...), `same_file` (another name of a file that
            is read), or what `lstmlm.corpus.sources.omitted`, `own_outputs` and `layouts` say.
        detail: The other file, for `same_file`.
    """

    name: str
    reason: str
    detail: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What was found, sorted by name.

    Attributes:
        found: The files.
        left_out: What is not read.
        folder: Whether the pattern named a folder.
        base: How many names of each file are of the folder that was named, or of the glob's part before wildcards.
        exact: Whether the pattern is the name of one file.
    """

    found: list[Found]
    left_out: list[LeftOut]
    folder: bool = False
    base: int = 0
    exact: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of the corpus.

    Attributes:
        index: Position in the corpus: train files first, each split sorted by name.
        name: Path below the corpus root, with forward slashes.
        path: A local path or a URL.
        reader: The name of its reader; see `lstmlm.corpus.reading.readers`.
        compression: `gz`, `bz2`, `xz`, `zst`, or empty: as its first bytes say.
        split: The split it is given for; None: each record's id decides.
        size: Bytes, as it is stored; 0 where it holds no more than a byte order mark.
        content: How its text is stored.
        classes: Names of classes that a file next to it gives to numbers.
    """

    index: int
    name: str
    path: str
    reader: str
    compression: str
    split: Split | None
    size: int
    content: Content = PLAIN
    classes: ClassNames = ()
