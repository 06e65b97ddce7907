"""What the cached vocabulary depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.recipe.recipe import Recipe

pytestmark = [pytest.mark.tfx]


def test_the_content_of_a_given_model_is_part_of_the_cache_key(tmp_path: Path) -> None:
    from tfx import types
    from tfx.types import standard_artifacts

    from components.tokenizer.component import Tokenizer

    def key(model: Path | None) -> str:
        content = {"name": "test", "task": "generate", "corpus": {"train": "a.txt"}, "tokenizer": {"model": model}}
        records = types.Channel(type=standard_artifacts.Examples)
        found: str = Tokenizer(Recipe.model_validate(content), records).exec_properties["given_fingerprint"]
        return found

    path = tmp_path / "a.model"
    path.write_bytes(b"one")
    first = key(path)
    path.write_bytes(b"two")
    assert len({first, key(path), key(None)}) == 3
