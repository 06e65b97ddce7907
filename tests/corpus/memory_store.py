"""A store of objects in memory, reached through Beam's filesystems as `mem://bucket/name`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, ClassVar

from apache_beam.io.filesystem import CompressionTypes, FileMetadata, FileSystem


class MemoryStore(FileSystem):
    """Like GCS and S3: no folders, and listing by prefix."""

    OBJECTS: ClassVar[dict[str, bytes]] = {}

    @classmethod
    def scheme(cls) -> str:
        return "mem"

    def has_dirs(self) -> bool:
        return False

    def _list(self, prefix: str) -> Iterator[FileMetadata]:
        for path in sorted(self.OBJECTS):
            if path.startswith(prefix):
                yield FileMetadata(path, len(self.OBJECTS[path]))

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> io.BytesIO:
        assert compression_type == CompressionTypes.UNCOMPRESSED
        if path not in self.OBJECTS:
            raise FileNotFoundError(path)
        return io.BytesIO(self.OBJECTS[path])

    def checksum(self, path: str) -> str:
        return f"crc:{sum(self.OBJECTS[path])}"

    def exists(self, path: str) -> bool:
        return path in self.OBJECTS

    def _unsupported(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a reader does not need this")

    join = split = mkdirs = create = copy = rename = size = last_updated = metadata = delete = _unsupported
