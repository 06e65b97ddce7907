"""`tf.train.Example` in the wire format of protocol buffers, written and read without TensorFlow.

The bytes are those of `SerializeToString(deterministic=True)`. An `Example` nests as
`Example.features (1) > Features.feature (1), a map entry > key (1), value (2): Feature > bytes_list (1) or
int64_list (3) > value (1)`; every level is a tag byte, a length and the content.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FIELD_1, FIELD_2, FIELD_3 = b"\x0a", b"\x12", b"\x1a"
"""Tags of the fields 1, 2 and 3 where the content has a length: `field << 3 | 2`."""


_VARINT = rb"[\x80-\xff]*[\x00-\x7f]"
EXAMPLE_HEAD = rb"\x0a" + _VARINT
"""Pattern of the bytes before the first map entry of an `Example`."""
VALUE_HEAD = rb"\x0a(" + _VARINT + rb")"
"""Pattern of the bytes before a value of a bytes feature; the group is its length, as `number_of` reads it."""


def entry_head(name: str) -> bytes:
    """Returns the pattern of the bytes before the first value of a bytes feature; its group is that of `VALUE_HEAD`.

    Patterns, because a step in Python takes longer than all that one of them does.
    """
    key = re.escape(bytes([len(name)]) + name.encode("ascii"))
    return rb"\x0a%b\x0a%b\x12%b\x0a%b" % (_VARINT, key, _VARINT, _VARINT) + VALUE_HEAD


@functools.lru_cache(maxsize=4096)
def varint(number: int) -> bytes:
    """Returns a number >= 0 in groups of 7 bits, the lowest first; the top bit of a byte says that more follow."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def number_of(varint: bytes) -> int:
    """Returns the number that a varint encodes."""
    # Most lengths have one group or two, and a loop takes twice as long.
    if len(varint) == 1:
        return varint[0]
    if len(varint) == 2:
        return varint[0] & 127 | varint[1] << 7
    number = 0
    for group in reversed(varint):
        number = number << 7 | group & 127
    return number


def field(tag: bytes, content: bytes) -> bytes:
    """Returns a field whose content has a length: text, bytes, or a message."""
    return tag + varint(len(content)) + content


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the key of each field (its number << 3 | its wire type) and its content, without the length.

    Raises:
        ValueError: The bytes are not a message.
    """
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        if key & 7 == 2:
            length, at = _number(message, at)
            start, at = at, at + length
        elif key & 7 in (1, 5):
            start, at = at, at + (8 if key & 7 == 1 else 4)
        elif key & 7 == 0:
            start = at
            _, at = _number(message, at)
        else:
            raise ValueError(f"no field has the key {key}")
        if at > len(message):
            raise ValueError("a message that ends too early")
        yield key, message[start:at]


def bytes_example(features: Mapping[str, Sequence[bytes]]) -> bytes:
    """Returns a serialized `tf.train.Example` with bytes features.

    Args:
        features: Name -> values.
    """
    entries = []
    for name, values in sorted(features.items()):
        content = b"".join(field(FIELD_1, value) for value in values)
        feature = field(FIELD_1, content)
        entries.append(field(FIELD_1, field(FIELD_1, name.encode("utf-8")) + field(FIELD_2, feature)))
    return field(FIELD_1, b"".join(entries))


def bytes_features(serialized: bytes) -> dict[str, list[bytes]]:
    """Returns the features of a serialized `tf.train.Example` whose features are all of bytes.

    Raises:
        ValueError: The bytes are something else.
    """
    found: dict[str, list[bytes]] = {}
    for _, features in _contents(serialized):
        for _, entry in _contents(features):
            parts = dict(_contents(entry))
            key = parts.get(FIELD_1[0])
            if key is None:
                raise ValueError("a feature without a name")
            lists = [content for _, content in _contents(parts.get(FIELD_2[0], b""))]
            found[key.decode("utf-8")] = [value for inner in lists for _, value in _contents(inner)]
    return found


def _contents(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the fields of a message whose contents all have a length.

    Raises:
        ValueError: Another field is there.
    """
    for key, content in fields(message):
        if key & 7 != 2:
            raise ValueError("a field that holds a number")
        yield key, content


def packed_varints(numbers: npt.NDArray[np.int32]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """Returns numbers as varints end to end, and where each begins.

    Args:
        numbers: int32 [n], none below 0.

    Returns:
        The bytes, and int64 [n + 1]: the offset of each number, and the length of all.
    """
    import numpy as np  # here: the rest of the module serves commands that start without it

    width = max(1, -(-int(numbers.max(initial=0)).bit_length() // 7))
    # All groups of a number in one integer: arithmetic on these is faster than on columns of single bytes.
    container = "<u2" if width <= 2 else "<u4" if width <= 4 else "<u8"
    rest: npt.NDArray[np.unsignedinteger[Any]] = numbers.astype(container)
    groups = np.zeros_like(rest)
    used = np.zeros((len(numbers), groups.itemsize), np.bool_)
    used[:, 0] = True
    offsets = np.zeros(len(numbers) + 1, np.int64)
    offsets[1:] = 1
    for column in range(width):
        more = rest > 127
        groups |= (rest & 127 | more.astype(container) << 7) << 8 * column
        rest >>= 7
        if column + 1 < width:
            used[:, column + 1] = more
            offsets[1:] += more
    np.cumsum(offsets, out=offsets)
    return groups.view(np.uint8)[used.ravel()].tobytes(), offsets


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Returns the varint at `at`, and where it ends."""
    number = shift = 0
    while at < len(data):
        group = data[at]
        at += 1
        if group < 128:
            return number | group << shift, at
        number |= (group & 127) << shift
        shift += 7
    raise ValueError("a message that ends too early")
