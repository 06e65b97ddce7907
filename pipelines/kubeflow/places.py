"""Maps the object URIs of artifacts to the folders in which Kubeflow's launcher puts them.

As `LocalPathForURI` of the launcher (kubeflow/pipelines, backend/src/v2/component): it copies the inputs of a step
there before the step, and uploads the outputs from there after it.
"""

from __future__ import annotations

import os
from pathlib import Path

from lstmlm.errors import UserError

FOLDERS = {"gs": "gcs", "s3": "s3", "minio": "minio"}
"""Scheme of a URI -> the launcher's folder for it."""
ROOT = "LSTMLM_LAUNCHER_ROOT"
"""Variable with the folder that holds the launcher's folders; absent: `/`, as in a container."""


def local_path(uri: str) -> Path:
    """Returns the folder of an artifact.

    Raises:
        UserError: The launcher has no folder for such a URI.
    """
    scheme, _, key = uri.partition("://")
    if scheme not in FOLDERS or not key:
        hint = "Start the run with a pipeline root in gs://, s3:// or minio://"
        raise UserError("Kubeflow's launcher has no folder for this artifact", where=uri, hint=hint)
    return Path(os.environ.get(ROOT, "/"), FOLDERS[scheme], key)
