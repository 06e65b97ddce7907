"""Folders that exist whole or not at all, and the manifest that seals each."""

from lstmlm.publish.folder import publish, read_manifest
from lstmlm.publish.manifest import Manifest

__all__ = ["Manifest", "publish", "read_manifest"]
