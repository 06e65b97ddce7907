"""Our side of `benchmarks/infer.py`: the engine. Reads `MIX METHOD` lines, answers each with a JSON line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.infer_work import load
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.onnx import files as onnx_files
from lstmlm.decoding.onnx.backend import OnnxBackend
from lstmlm.decoding.search.request import SearchOptions, SearchRequest


def main(work: str, precision: str, rows: str) -> None:
    weights, mixes = load(Path(work))
    backend = OnnxBackend(*onnx_files.graphs(weights, int8=precision == "int8"), threads=1)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        mix, method = line.split()
        sources, limits = mixes[mix]
        requests = [SearchRequest(ids, limit=limit) for ids, limit in zip(sources, limits, strict=True)]
        options = SearchOptions("beam", max_tokens=256, beam=5) if method == "beam" else SearchOptions(max_tokens=256)
        started = time.process_time()
        found = Engine(backend, options, int(rows)).decode(requests)
        seconds = time.process_time() - started
        outputs = [list(best.tokens) for best, *_ in found]
        print(json.dumps({"seconds": seconds, "tokens": sum(map(len, outputs)), "first": outputs[::37]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
