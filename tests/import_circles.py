"""The import contract that no modules import each other in a circle, imports for type checking included."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class NoCircles(Contract):
    """No module reaches itself by imports. Importing a module imports its packages too, and that counts."""

    type_name = "no_circles"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Searches the graph for a circle."""
        found = circle({module: set(_imports(graph, module)) for module in graph.modules})
        return ContractCheck(kept=not found, metadata={"circle": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints the circle that was found."""
        output.print_error(" -> ".join(check.metadata["circle"]))


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Returns modules of which each imports the next, the first again at the end; empty if there is no circle.

    Args:
        imports: Module -> those that it imports.
    """
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _imports(graph: ImportGraph, module: str) -> Iterator[str]:
    for imported in graph.find_modules_directly_imported_by(module):
        yield imported
        while "." in imported:
            imported = imported.rpartition(".")[0]
            if imported in graph.modules and not f"{module}.".startswith(f"{imported}."):
                yield imported
