"""Folders and files as OpenLineage names them: https://openlineage.io/docs/spec/naming."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.publish.folder import MANIFEST, Manifest
from lstmlm.publish.manifest import read_manifest
from lstmlm.storage import StorePath, place

if TYPE_CHECKING:
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import DatasetFacet, OutputDatasetFacet

    from lstmlm.recipe.recipe import Recipe
    from lstmlm.stages import Stage


def dataset_name(path: Path) -> tuple[str, str]:
    """Returns the namespace and the name of a folder or a file: `file` and its path, or the bucket and the key."""
    if isinstance(path, StorePath):
        return f"{path.scheme}://{path.bucket}", path.key or "/"
    return "file", str(path.absolute())


def files_read(stage: Stage, recipe: Recipe) -> list[Path]:
    """Returns the files and globs that a stage reads and no stage made: the corpus, or what the batch job decodes."""
    corpus, asked = recipe.corpus, recipe.inference.input
    if not stage.inputs:
        return [place(found) for found in corpus.places()]
    return [place(corpus.place(asked))] if stage.name == "infer" and asked else []


def input_dataset(path: Path) -> InputDataset:
    """Returns what a stage reads, with the fingerprint of its content where a manifest says it."""
    from openlineage.client.event_v2 import InputDataset

    namespace, name = dataset_name(path)
    return InputDataset(namespace=namespace, name=name, facets=_facets(_manifest(path)))


def output_dataset(path: Path) -> OutputDataset:
    """Returns what a stage published, with its fingerprint, its records, its files and bytes."""
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    namespace, name = dataset_name(path)
    manifest = _manifest(path)
    found: dict[str, OutputDatasetFacet] = {}
    if manifest is not None:
        records = manifest.facts.get("records")
        found["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(
            rowCount=records if isinstance(records, int) else None,
            size=sum(file["bytes"] for file in manifest.files.values()),
            fileCount=len(manifest.files),
        )
    return OutputDataset(namespace=namespace, name=name, facets=_facets(manifest), outputFacets=found)


def _manifest(path: Path) -> Manifest | None:
    return read_manifest(path) if (path / MANIFEST).is_file() else None


def _facets(manifest: Manifest | None) -> dict[str, DatasetFacet]:
    from openlineage.client.facet_v2 import dataset_version_dataset as version

    if manifest is None:
        return {}
    return {"version": version.DatasetVersionDatasetFacet(datasetVersion=manifest.fingerprint)}
