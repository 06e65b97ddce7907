"""Attention as text: every weight has its place and its shade, at any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lstmlm.cli.interactive.heat_map import WIDEST, heat_map, shade


def test_a_row_is_written_a_column_read() -> None:
    found = heat_map([" the", " cat", ""], [" le", " chat", ""], [[1, 0, 0], [0.2, 0.8, 0], [0, 0.5, 0.5]], 40)
    assert found == ["     the cat end", "le   ███", "chat ░░░ ▓▓▓", "end      ▒▒▒ ▒▒▒"]


@pytest.mark.parametrize(("weight", "shown"), [(0, " "), (0.2, "░"), (0.5, "▒"), (0.7, "▓"), (1, "█"), (1.001, "█")])
def test_more_weight_is_darker(weight: float, shown: str) -> None:
    assert shade(weight) == shown


TOKENS = st.lists(st.text(max_size=12) | st.sampled_from(["", " ", "中文", "\x1b[2J", "\n"]), min_size=1, max_size=12)


@given(TOKENS, TOKENS, st.integers(2 * WIDEST + 1, 100))
def test_no_line_is_too_long_and_no_control_character_gets_through(
    source: list[str], text: list[str], width: int
) -> None:
    lines = heat_map(source, text, [[1.0] * len(source)] * len(text), width)
    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in lines)
    assert len(lines) % (len(text) + 1) == 0
