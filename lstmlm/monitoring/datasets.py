"""Folders and files as OpenLineage names them: https://openlineage.io/docs/spec/naming."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.publish.folder import MANIFEST
from lstmlm.publish.manifest import read_manifest
from lstmlm.storage import StorePath

if TYPE_CHECKING:
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import DatasetFacet


def dataset_name(place: Path) -> tuple[str, str]:
    """Returns the namespace and the name of a folder or a file: `file` and its path, or the bucket and the key."""
    if isinstance(place, StorePath):
        return f"{place.scheme}://{place.bucket}", place.key or "/"
    return "file", str(place.absolute())


def input_dataset(place: Path) -> InputDataset:
    """Returns what a stage reads, with the fingerprint of its content where a manifest says it."""
    from openlineage.client.event_v2 import InputDataset

    namespace, name = dataset_name(place)
    return InputDataset(namespace=namespace, name=name, facets=_facets(place))


def output_dataset(place: Path) -> OutputDataset:
    """Returns what a stage published, with its fingerprint, its records, its files and bytes."""
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    namespace, name = dataset_name(place)
    found: dict[str, statistics.OutputStatisticsOutputDatasetFacet] = {}
    if (place / MANIFEST).is_file():
        manifest = read_manifest(place)
        records = manifest.facts.get("records")
        found["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(
            rowCount=records if isinstance(records, int) else None,
            size=sum(file["bytes"] for file in manifest.files.values()),
            fileCount=len(manifest.files),
        )
    return OutputDataset(namespace=namespace, name=name, facets=_facets(place), outputFacets=dict(found))


def _facets(place: Path) -> dict[str, DatasetFacet]:
    from openlineage.client.facet_v2 import dataset_version_dataset as version

    if not (place / MANIFEST).is_file():
        return {}
    return {"version": version.DatasetVersionDatasetFacet(datasetVersion=read_manifest(place).fingerprint)}
