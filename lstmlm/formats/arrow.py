"""Safe settings of pyarrow for foreign files; the only module that imports it.

Below 14.0.1 pyarrow runs code that a file names (CVE-2023-47248); `pyarrow_hotfix` switches that off, and does nothing
where it is not needed.
"""

# isort: off
import pyarrow_hotfix  # noqa: F401 - at work from its import on
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as fs
import pyarrow.parquet as pq
# isort: on

__all__ = ["fs", "pa", "pc", "pq"]
