"""Object stores (`s3://`, `gs://`) as folders and files: paths, streams, conditional writes and leases."""

from lstmlm.storage.paths import StorePath, place

__all__ = ["StorePath", "place"]
