"""Sorts the names below a folder into corpus files and files left out, by one rule for local folders and stores."""

from __future__ import annotations

from collections.abc import Sequence

from lstmlm.corpus.sources.found import LeftOut, Listing
from lstmlm.corpus.sources.globs import matches
from lstmlm.corpus.sources.omitted import is_in_work, omission
from lstmlm.corpus.sources.own_outputs import ACCOUNTS, DOCUMENTS, OWN_OUTPUT

UNKNOWN_ENDING = "unknown_ending"
METADATA = frozenset(
    {
        "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json", "package.json",
        "croissant.json", "manifest.json", "metadata.json", "schema.json", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "generation_config.json", "vocab.json",
    }
)  # fmt: skip
"""Files that describe a data set and are none of its rows; named by itself, each is read."""


class Sorting:
    """Sorts the files below a folder into those that are read and those that are left out: see the module.

    Args:
        endings: What a corpus file's name ends in.
        base: How many names lead to the folder.
        patterns: The glob's parts from there on; None: the folder itself was named.
    """

    def __init__(self, endings: Sequence[str], base: int, patterns: Sequence[str] | None) -> None:
        self._endings, self._base, self._patterns = tuple(endings), base, patterns
        self.listing = Listing([], [], folder=patterns is None, base=base)
        self._omitted: set[str] = set()
        # Cleaned documents are a corpus again, where the pattern asks for them.
        self._documents = patterns is not None and "".join(patterns[-1:]).startswith(DOCUMENTS)

    def matches(self, name: str) -> bool:
        """Says whether the pattern is about a file."""
        return self._patterns is None or matches(name.split("/")[self._base :], self._patterns)

    def omits(self, name: str, *, folder: bool) -> bool:
        """Notes that something is left out because of its name or of a folder around it, and says whether it is."""
        parts = name.split("/")
        found = omission(parts[self._base :], self._patterns or ())
        if found is None:
            return False
        if not folder or self._patterns is None or self._maymatches(parts[self._base :]):
            self.leave("/".join(parts[: self._base + found[0]]), found[1])
        return True

    def _maymatches(self, folders: Sequence[str]) -> bool:
        patterns = self._patterns or ()
        return "**" in patterns or matches(folders, patterns[: len(folders)])

    def own(self, folder: str) -> bool:
        """Says whether a finished output of this project below the folder is left out, and notes it."""
        if self._documents:
            return False
        self.leave(folder, OWN_OUTPUT)
        return True

    def leave(self, name: str, reason: str) -> None:
        """Notes once what is left out."""
        if name not in self._omitted and not is_in_work(name):
            self._omitted.add(name)
            self.listing.left_out.append(LeftOut(name, reason))

    def readable(self, name: str, *, accounts: bool) -> bool:
        """Says whether a file's name is that of a corpus file; notes why it is not.

        Args:
            name: Its name below the root.
            accounts: Whether it is in a finished output, where some files are no data.
        """
        last = name.rpartition("/")[2]
        if accounts and last in ACCOUNTS:
            self.leave(name, OWN_OUTPUT)
        elif last.lower() in METADATA:
            self.leave(name, "metadata")
        elif not last.lower().endswith(self._endings):
            self.leave(name, UNKNOWN_ENDING)
        else:
            return True
        return False
