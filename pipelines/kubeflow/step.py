"""Runs one step in its container: Kubeflow's launcher starts `python -m pipelines.kubeflow.step`.

It takes the arguments of TFX's own entry point, which leaves three things open: artifacts are at object URIs, while
the launcher has them in folders; the launcher makes only the parents of the outputs; and a failure is a traceback and
exit code 1. A stage of this project runs without TFX, which takes many seconds to import; TFX's components run by it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lstmlm.cli import run_process
from lstmlm.errors import ExitCode, first_line

STAGE_EXECUTOR = "components.executor.StageExecutor"
"""The executor of every stage of this project, by the name that TFX gives it."""


def main() -> None:
    """Runs the step that the command line describes, and leaves the process with an `ExitCode`."""
    message = "the step is started again by Kubeflow, where its retries allow it"
    run_process(lambda: run(sys.argv[1:]), message)


def run(words: Sequence[str]) -> int:
    """Runs a step, and returns its `ExitCode`; a failure is one line, an internal error a traceback before that.

    Args:
        words: The arguments: those of `tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor`.
    """
    from lstmlm.cli.failures.faults import exit_code, user_fault

    try:
        _run(words)
    except Exception as error:
        fault = user_fault(error)
        if fault is None:
            import traceback

            traceback.print_exc()
        for line in str(fault or f"internal error ({type(error).__name__}: {first_line(error)})").splitlines():
            print(f"lstmlm: {line}", file=sys.stderr, flush=True)
        return exit_code(error)
    return ExitCode.OK


def _run(words: Sequence[str]) -> None:
    from pipelines.kubeflow.files import FILES_EXECUTOR, write_fingerprints
    from pipelines.kubeflow.invocation import Invocation

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args")
    arguments, beam_arguments = parser.parse_known_args(words)
    invocation = Invocation.read(arguments.json_serialized_invocation_args)
    if arguments.executor_class_path == FILES_EXECUTOR:
        write_fingerprints(invocation)
        return
    invocation.make_folders()
    if arguments.executor_class_path == STAGE_EXECUTOR:
        from pipelines.kubeflow.stage import run_stage

        run_stage(invocation)
    else:
        from pipelines.kubeflow.stock import run_stock

        run_stock(invocation, arguments, beam_arguments)


if __name__ == "__main__":
    main()
