"""Checks the operations of a SavedModel, and rejects those with side effects outside the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.errors import UserError

if TYPE_CHECKING:
    from tensorflow.core.protobuf import meta_graph_pb2

FILE = "saved_model.pb"
_MOST_BYTES = 1 << 30
# Python, files, checkpoints, logs that may be files, and the network; by parts of their names.
_OUTSIDE = re.compile(
    "PyFunc|File|Reader|Record|Dataset|Iterator|Summary|Print|Debug|Dump|Save|Restore|Checkpoint|LoadAndRemap"
    "|GenerateVocabRemapping|ImmutableConst|Skipgram|Rpc|Remote|Collective|Bigtable|BigQuery|Socket|Library"
)


def check_operations(folder: Path) -> None:
    """Checks the operations that loading a SavedModel and calling its signatures can reach.

    Those that write and restore its checkpoint are no part of that, if nothing else calls them.

    Raises:
        UserError: One reads or writes files, talks to the network or runs Python; or the file is damaged.
    """
    path = folder / FILE
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"more than {_MOST_BYTES >> 30} GB", where=str(path), hint="Export again")
        model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise UserError("not a SavedModel", where=str(path), hint="Export again") from error
    found = sorted({name for graph in model.meta_graphs for name in _reached(graph) if _OUTSIDE.search(name)})
    if found:
        what = f"this model contains operations with side effects: {', '.join(found[:3])}"
        raise UserError(what, where=str(path), hint="Export it with lstmlm, or load it elsewhere, in a sandbox")


def _reached(graph: meta_graph_pb2.MetaGraphDef) -> Iterator[str]:
    """Yields the names of operations, those in functions that are called too."""
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    waiting = list(graph.object_graph_def.concrete_functions)
    for node in _ancestors(graph):
        yield node.op
        waiting += _called(node)
    seen = set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            yield node.op
            waiting += _called(node)


def _ancestors(graph: meta_graph_pb2.MetaGraphDef) -> Iterator[Any]:
    """Yields the nodes that the results of the signatures, and of what is run at loading, are computed from."""
    nodes = {node.name: node for node in graph.graph_def.node}
    waiting = [tensor.name for signature in graph.signature_def.values() for tensor in signature.outputs.values()]
    for collection in graph.collection_def.values():
        waiting += collection.node_list.value
    seen = set[str]()
    while waiting:
        name = waiting.pop().removeprefix("^").partition(":")[0]
        if name not in seen and name in nodes:
            seen.add(name)
            yield nodes[name]
            waiting += nodes[name].input


def _called(node: Any) -> Iterable[str]:
    """Returns the functions that a node names. An operation may itself be the name of one."""
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        yield from (function.name for function in value.list.func)
    yield node.op
