"""Blocks of rows."""

from __future__ import annotations

from lstmlm.corpus.reading.rows import BLOCK_BYTES, BLOCK_LINES, Row, blocks


def test_blocks_are_cut_by_lines_and_by_bytes() -> None:
    sizes = [len(block) for block in blocks(Row(n, 10, {}) for n in range(2 * BLOCK_LINES + 5))]
    assert sizes == [BLOCK_LINES, BLOCK_LINES, 5]
    assert [len(block) for block in blocks(Row(n, BLOCK_BYTES // 2, {}) for n in range(5))] == [2, 2, 1]
    assert list(blocks([])) == []
