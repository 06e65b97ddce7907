"""JSON that holds bytes and whole numbers of any size: for files of our own, which only this module reads again.

Bytes are `{"bytes": BASE64}`, and so that no object can be taken for them, an object is `{"fields": OBJECT}`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

_BYTES, _FIELDS = "bytes", "fields"


def dumps(value: Any) -> bytes:
    """Returns a value as JSON, on one line.

    Args:
        value: Text, bytes, a number, a truth value, None, or a list, tuple or dict of these; its keys are text.

    Raises:
        TypeError: It is something else.
    """
    return json.dumps(_packed(value)).encode("ascii")


def loads(text: bytes) -> Any:
    """Returns the value that `dumps` wrote; a tuple comes back as a list."""
    return _unpacked(json.loads(text))


def _packed(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {_FIELDS: {key: _packed(inner) for key, inner in value.items()}}
    if isinstance(value, list | tuple):
        return list(map(_packed, value))
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_unpacked, value))
    if not isinstance(value, dict):
        return value
    if _BYTES in value:
        return base64.b64decode(value[_BYTES])
    return {key: _unpacked(inner) for key, inner in value[_FIELDS].items()}
