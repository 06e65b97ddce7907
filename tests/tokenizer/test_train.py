"""How text becomes lines SentencePiece can be trained on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.tokenizer.train import training_lines


@given(text=st.text(st.sampled_from("aé日 \n"), max_size=50), times=st.integers(1, 200))
def test_training_lines_lose_nothing(text: str, times: int) -> None:
    lines = list(training_lines(text * times))
    assert "".join(lines).replace(" ", "") == "".join((text * times).split())
    assert all(len(line.encode()) <= 4192 for line in lines)
