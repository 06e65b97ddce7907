"""Decodes texts within a Beam pipeline of your own: `python examples/decode_in_beam.py EXPORT < prompts.txt`.

`lstmlm infer` does more: it accounts for every input, survives the death of a worker, and resumes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam

from lstmlm.inference.model.loading import TextModel, load_text_model
from lstmlm.records import stable_hash


class Decode(beam.DoFn):
    """Batches of texts -> pairs of a text and what the model writes for it.

    Args:
        export: An export folder, which every worker can read.
    """

    def __init__(self, export: Path) -> None:
        super().__init__()
        self._export = export
        self._model: TextModel | None = None

    def setup(self) -> None:
        """Loads the model, once per worker."""
        self._model = load_text_model(self._export)

    def process(self, batch: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Decodes a batch. The seed of a text depends on the text only, so the runner may form any batches."""
        assert self._model is not None
        outputs = self._model.generate(batch, [stable_hash(text) for text in batch])
        yield from zip(batch, (output.text for output in outputs), strict=True)


def decode(export: Path, texts: Iterable[str], found: Path) -> None:
    """Runs the pipeline in this process; each line of `found`-00000-of-0000N is a text, a tab and its output."""
    with beam.Pipeline("apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner") as pipeline:
        _ = (
            pipeline
            | "Texts" >> beam.Create(list(texts))
            | "Batch" >> beam.BatchElements(min_batch_size=16, max_batch_size=256)
            | "Decode" >> beam.ParDo(Decode(export))
            | "Lines" >> beam.MapTuple("{}\t{}".format)
            | "Write" >> beam.io.WriteToText(str(found))
        )


if __name__ == "__main__":
    decode(Path(sys.argv[1]), (line.rstrip("\n") for line in sys.stdin), Path("decoded.txt"))
