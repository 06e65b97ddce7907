"""Runs a component of TFX's own as a step of Kubeflow, by TFX's entry point."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from pipelines.kubeflow.invocation import Invocation


def run_stock(invocation: Invocation, arguments: argparse.Namespace, beam_arguments: Sequence[str]) -> None:
    """Runs the executor on folders, and leaves what it says of its outputs with their URIs.

    Args:
        invocation: What the launcher handed over.
        arguments: The arguments of TFX's entry point.
        beam_arguments: Further arguments, for Beam.
    """
    arguments.json_serialized_invocation_args = invocation.with_local_paths()
    kubeflow_v2_run_executor.main((arguments, list(beam_arguments)))
    made = json.loads(invocation.output_file.read_text(encoding="utf-8")).get("artifacts", {})
    invocation.write_output({key: listed["artifacts"][0].get("metadata", {}) for key, listed in made.items()})
