"""The page of the server: one HTML file, which loads nothing else; its policy lets nothing else run."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from pathlib import Path

_FILE = Path(__file__).with_name("page.html")


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """The page.

    Attributes:
        content: The HTML.
        policy: Its Content-Security-Policy: only the script and the style in it.
    """

    content: str
    policy: str


def read_page() -> Page:
    """Reads the page."""
    content = _FILE.read_text(encoding="utf-8")
    sums = {name: _sum(content, name) for name in ("script", "style")}
    policy = (
        f"default-src 'none'; script-src '{sums['script']}'; style-src '{sums['style']}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(content, policy)


def _sum(content: str, element: str) -> str:
    (inside,) = re.findall(f"<{element}>(.*?)</{element}>", content, re.DOTALL)
    return "sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
