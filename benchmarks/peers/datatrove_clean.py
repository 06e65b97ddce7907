"""The peer of ingest: datatrove's blocks for the same steps. Runs in an environment that has datatrove.

Usage: python datatrove_clean.py DOCUMENTS OUTPUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.filters import GopherQualityFilter
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter


def main() -> None:
    documents, output = Path(sys.argv[1]), Path(sys.argv[2])
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    folders = {name: str(output / name) for name in ("kept", "signatures", "buckets", "remove", "final", "logs")}

    def run(steps: list[object], name: str, tasks: int = 1) -> None:
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=1, logging_dir=f"{folders['logs']}/{name}").run()

    reader = JsonlReader(str(documents), glob_pattern="*.jsonl")
    run([reader, GopherQualityFilter(), PIIFormatter(), JsonlWriter(folders["kept"])], "clean")
    again = JsonlReader(folders["kept"])
    run([again, MinhashDedupSignature(output_folder=folders["signatures"], config=config)], "signatures")
    buckets = MinhashDedupBuckets(input_folder=folders["signatures"], output_folder=folders["buckets"], config=config)
    run([buckets], "buckets", tasks=config.num_buckets)
    cluster = MinhashDedupCluster(input_folder=folders["buckets"], output_folder=folders["remove"], config=config)
    run([cluster], "cluster")
    drop = MinhashDedupFilter(input_folder=folders["remove"])
    run([JsonlReader(folders["kept"]), drop, JsonlWriter(folders["final"])], "drop")


if __name__ == "__main__":
    main()
