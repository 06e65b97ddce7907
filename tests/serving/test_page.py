"""The page in Chromium: what is typed comes back as an output, and the console stays empty."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from lstmlm.serving.page import read_page
from tests.serving.browser import browser
from tests.serving.conftest import Running, Serve
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome") or ""
needs_browser = pytest.mark.skipif(not PROGRAM, reason="there is no Chromium: apt install chromium")
of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)
TOKEN = "a-token-of-some-letters"
TYPED = "document.getElementById('{name}').value = {value!r}"
PRESSED = "document.getElementById('{name}').click()"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    content = read_page().content
    assert "http://" not in content
    assert "https://" not in content
    assert "src=" not in content


@needs_browser
@of_translate
def test_what_is_typed_gets_an_output_alternatives_and_scores(server: Running, tmp_path: Path) -> None:
    async def visit() -> None:
        async with browser(PROGRAM, tmp_path / "profile") as page:
            await page.open(server.url)
            await page.wait_for("!document.getElementById('form').hidden")
            await page.run(TYPED.format(name="text", value="The statement"))
            await page.run(TYPED.format(name="many", value="3"))
            await page.run(PRESSED.format(name="run"))
            await page.wait_for("!document.getElementById('result').hidden")
            shown = await page.run("document.getElementById('output').textContent")
            rows = await page.run("[...document.querySelectorAll('#list tr')].map(row => row.cells[0].textContent)")
            tokens = await page.run("document.querySelectorAll('#tokens .token').length")
            decoding = {"method": "beam", "beam": 5, "n_best": 3, "scores": True}
            (wanted,) = server.predict(["The statement"], decoding=decoding)
            assert shown == wanted["output"]
            assert rows == [one["output"] for one in wanted["n_best"]]
            assert tokens == len(wanted["token_scores"])
            await page.screenshot(Path(os.environ.get("LSTMLM_SCREENSHOT") or tmp_path / "page.png"))
            await page.run(TYPED.format(name="text", value=" "))
            await page.run(PRESSED.format(name="run"))
            await page.wait_for("document.getElementById('output').className == 'bad'")
            assert page.problems == []

    asyncio.run(visit())


@needs_browser
@of_generate
def test_an_open_server_s_page_asks_for_the_token(exported: TinyRun, serve: Serve, tmp_path: Path) -> None:
    async def visit(url: str) -> None:
        async with browser(PROGRAM, tmp_path / "profile") as page:
            await page.open(url)
            await page.wait_for("!document.getElementById('access').hidden")
            await page.run(TYPED.format(name="token", value=TOKEN))
            await page.run(PRESSED.format(name="enter"))
            await page.wait_for("!document.getElementById('form').hidden")
            await page.run(PRESSED.format(name="run"))
            await page.wait_for("!document.getElementById('result').hidden")
            assert page.problems == []

    with serve(exported.export, "--host", "0.0.0.0", LSTMLM_SERVE_TOKEN=TOKEN) as running:
        asyncio.run(visit(running.url.replace("0.0.0.0", "127.0.0.1")))
