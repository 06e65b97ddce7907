"""Imports every module of this project in the image, which has fewer packages than the environment of `uv.lock`."""

from __future__ import annotations

import importlib
import pkgutil

from lstmlm.processes.environment import settle

settle()
count = 0
for name in ("lstmlm", "components", "pipelines"):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
for name in ("apache_beam.io.aws.s3filesystem", "kfp.kubernetes", "ray.dashboard.head", "ray.train.tensorflow"):
    importlib.import_module(name)
print("imported", count)
