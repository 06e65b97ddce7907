"""Given vocabularies with the ids of this project."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.hub.tokenizers.given import renumbered
from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from tests.given import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_ids_are_those_of_this_project(kind: str, texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    KINDS[kind](texts).save(str(path))
    ours = HuggingFace(path)
    theirs = renumbered(path.read_text(), ours)
    assert theirs.get_vocab_size() == ours.size
    for text in (*texts, "", "a statement. ☃", "  two  spaces "):
        ids = ours.encode(text)
        assert theirs.encode(text, add_special_tokens=False).ids == ids
        assert theirs.decode(ids, skip_special_tokens=False) == ours.decode(ids)
    # What is written is read again as it was.
    theirs.save(str(tmp_path / "again.json"))
    again = HuggingFace(tmp_path / "again.json")
    assert (again.size, again.renumbered) == (ours.size, False)
    assert [again.encode(text) for text in texts] == [ours.encode(text) for text in texts]
