"""The scripts in `examples/` do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

import lstmlm
from tests.ray_nodes import RayCluster
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow


def test_texts_are_decoded_within_a_pipeline(exported: TinyRun, tmp_path: Path) -> None:
    from examples.decode_in_beam import decode

    texts = ["the statement", "a name of a class", "if"]
    decode(exported.export, texts, tmp_path / "found")
    lines = [line for part in sorted(tmp_path.glob("found-*")) for line in part.read_text("utf-8").splitlines()]
    model = lstmlm.load(exported.export)
    one_by_one = [output.text for text in texts for output in model.stream([text])]
    assert sorted(lines) == sorted(f"{text}\t{output}" for text, output in zip(texts, one_by_one, strict=True))


@pytest.mark.ray
def test_a_tiny_model_is_trained_and_a_second_run_does_nothing(tmp_path: Path, ray_cluster: RayCluster) -> None:
    from examples.train_tiny import train_tiny

    found = train_tiny(tmp_path, ray_cluster.address)
    assert found.export is not None
    made = (found.export / "manifest.json").stat().st_mtime_ns
    assert found.load().generate(["Note that"])[0].source == "Note that"
    assert found.metrics["perplexity"] > 1
    assert train_tiny(tmp_path, ray_cluster.address) == found
    assert (found.export / "manifest.json").stat().st_mtime_ns == made
