"""Decodes texts within a Beam pipeline of your own: `python examples/decode_in_beam.py EXPORT < prompts.txt`.

`lstmlm infer` does more: it accounts for every input, survives the death of a worker, and resumes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam

from lstmlm.beam import Predict


def decode(export: Path, texts: Iterable[str], found: Path) -> None:
    """Runs the pipeline in this process; each line of `found`-00000-of-0000N is a text, a tab and its output."""
    with beam.Pipeline("apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner") as pipeline:
        _ = (
            pipeline
            | "Texts" >> beam.Create(list(texts))
            | "Predict" >> Predict(export)
            | "Lines" >> beam.MapTuple(lambda text, output: f"{text}\t{output.text}")
            | "Write" >> beam.io.WriteToText(str(found))
        )


if __name__ == "__main__":
    decode(Path(sys.argv[1]), (line.rstrip("\n") for line in sys.stdin), Path("decoded.txt"))
