"""Rows of token ids in one array: a block of texts or windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IdArray = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class TokenRows:
    """Rows that are parts of one array; they may overlap and may leave ids out.

    Python lists of numbers would cost more time than finding the tokens does.

    Attributes:
        ids: int32 [tokens].
        starts: int64 [rows], where each row begins in `ids`.
        ends: int64 [rows], where each row ends, exclusive.
    """

    ids: IdArray
    starts: Offsets
    ends: Offsets

    @classmethod
    def joined(cls, parts: Sequence[IdArray]) -> TokenRows:
        """Returns concatenated rows, one per part."""
        # Joining bytes is faster than np.concatenate where the arrays are short.
        ids = np.frombuffer(bytearray().join(parts), np.int32)  # type: ignore[arg-type]  # arrays are buffers
        ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
        return cls(ids, np.concatenate([np.zeros(1, np.int64), ends])[:-1], ends)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def tokens(self) -> int:
        """Ids in all rows together; what two rows share counts twice."""
        return int((self.ends - self.starts).sum())

    def to_lists(self) -> list[list[int]]:
        """Returns the ids of each row."""
        return [self.ids[start:end].tolist() for start, end in zip(self.starts, self.ends, strict=True)]

    def repeated(self, times: Sequence[int]) -> TokenRows:
        """Returns each row as often as is said for it, one after the other; the ids are shared."""
        return TokenRows(self.ids, np.repeat(self.starts, times), np.repeat(self.ends, times))

    def cut(self, limit: int) -> tuple[TokenRows, int]:
        """Returns rows of at most `limit` ids that keep their last id, and how many rows were cut.

        A row that is too long keeps its first `limit - 1` ids.
        """
        too_long = self.ends - self.starts > limit
        ends = np.where(too_long, self.starts + limit, self.ends)
        ids = self.ids.copy()
        ids[ends[too_long] - 1] = self.ids[self.ends[too_long] - 1]
        return TokenRows(ids, self.starts, ends), int(too_long.sum())
