"""Opens a graph in onnxruntime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def open_session(graph: bytes | Path, threads: int) -> onnxruntime.InferenceSession:
    """Returns a session on processors.

    Args:
        graph: The serialised graph, or its file.
        threads: Threads that a matrix product is computed with.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # warnings are about optimisations
    where = str(graph) if isinstance(graph, Path) else graph
    return onnxruntime.InferenceSession(where, options, providers=["CPUExecutionProvider"])
