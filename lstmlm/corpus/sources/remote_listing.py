"""Lists the files of a store that Beam opens (`gs://`, `s3://`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lstmlm.corpus.reading.openers import cannot_reach, file_systems
from lstmlm.corpus.sources.found import Found, Listing
from lstmlm.corpus.sources.globs import GLOB, literal
from lstmlm.corpus.sources.own_outputs import is_manifest
from lstmlm.corpus.sources.sorting import Sorting
from lstmlm.errors import UserError
from lstmlm.publish.manifest import MANIFEST


def remote_files(root: str, parts: Sequence[str], endings: Sequence[str]) -> Listing:
    """Returns the files that the parts of a name, folder or glob match; see `lstmlm.corpus.sources.listing`."""
    pattern = "/".join(parts)
    prefix = pattern[: found.start()] if (found := GLOB.search(pattern)) else pattern
    base = root.rstrip("/") + "/"
    files = {name: Found(name, base + name, size) for name, size in _stored(base, prefix)}
    if pattern in files:
        return Listing([files[pattern]], [], base=len(parts), exact=True)
    folder = f"{pattern}/" if pattern else ""
    inside = [file for name, file in files.items() if name.startswith(folder)]
    base_parts = parts if inside else literal(parts)
    sorting = Sorting(endings, len(base_parts), None if inside else parts[len(base_parts) :])
    own = _own_folders(files.values())
    for file in inside or files.values():
        if not sorting.matches(file.name) or sorting.omits(file.name, folder=False):
            continue
        around = next((found for found in own if file.name.startswith(f"{found}/" if found else "")), None)
        if around is not None and len(around.split("/")) > len(base_parts) and sorting.own(around):
            continue
        if sorting.readable(file.name, accounts=around is not None):
            sorting.listing.found.append(file)
    return sorting.listing


def _own_folders(files: Iterable[Found]) -> list[str]:
    """Returns the folders with a manifest of this project, the outermost first."""
    found = [file for file in files if file.name.rpartition("/")[2] == MANIFEST and is_manifest(file.path, file.size)]
    return sorted((file.name.rpartition("/")[0] for file in found), key=len)


def _stored(base: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Yields (name, size) of the objects whose names begin with a prefix; markers of folders are no objects."""
    try:
        # Beam knows no other quotation than a set of one character.
        quoted = GLOB.sub(lambda found: f"[{found[0]}]", base + prefix)
        (match,) = file_systems(base).match([f"{quoted}**"])
    except UserError:
        raise
    except Exception as error:  # every store raises its own kinds
        raise cannot_reach(base, error) from error
    for metadata in match.metadata_list:
        if not metadata.path.endswith("/"):
            yield metadata.path.removeprefix(base), metadata.size_in_bytes
