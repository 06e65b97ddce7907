"""A line of JSON for every output."""

from __future__ import annotations

import base64
import json
from typing import Any


def json_line(value: Any) -> str:
    r"""Returns JSON without any character that some reader takes for the end of a line; bytes become base64.

    JSON leaves U+0085, U+2028 and U+2029 as they are, and Python's `splitlines`, among others, splits at them.
    """
    text = as_json(value)
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def as_json(value: Any) -> str:
    """Returns a value as JSON; bytes in it become base64."""
    return json.dumps(value, ensure_ascii=False, default=_base64)


def _base64(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"JSON cannot hold {type(value).__name__}")
