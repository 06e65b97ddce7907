"""A test that needs no TensorFlow, Beam or Ray imports none: shared fixtures import them when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("apache_beam", "onnxruntime", "ray", "tensorflow", "tfx")
LIGHT = (
    "tests/corpus/steps/quality/test_gopher.py",
    "tests/corpus/wording/test_words.py",
    "tests/decoding/test_meter.py",
    "tests/publish/test_locks.py",
    "tests/recipe/test_file.py",
    "tests/test_errors.py",
    "tests/test_plugins.py",
)


def test_light_tests_import_nothing_heavy(root: Path) -> None:
    code = (
        "import sys, pytest\n"
        f"code = pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', *{LIGHT!r}])\n"
        f"sys.exit(code or ' '.join(sorted(set(sys.modules) & set({HEAVY!r}))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
