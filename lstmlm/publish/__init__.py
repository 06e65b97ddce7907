"""Atomic output folders, each sealed by a manifest."""

from lstmlm.publish.folder import publish, read_manifest
from lstmlm.publish.manifest import Manifest

__all__ = ["Manifest", "publish", "read_manifest"]
