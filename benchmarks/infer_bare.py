"""Records per second of the engine without Beam: `infer_bare.py EXPORT INPUT`, loading left out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from lstmlm.inference.model.engine_model import EngineModel
from lstmlm.inference.model.loading import engine_facts


def main(export: str, source: str) -> None:
    facts = engine_facts(Path(export))
    assert facts is not None
    model = EngineModel(Path(export), facts, threads=1)
    texts = [json.loads(line)["text"] for line in Path(source).read_text(encoding="utf-8").splitlines()]
    model.generate(texts[:256], [0] * 256)
    started = time.perf_counter()
    model.generate(texts, [0] * len(texts))
    print(len(texts) / (time.perf_counter() - started))


if __name__ == "__main__":
    main(*sys.argv[1:])
