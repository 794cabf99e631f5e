"""Every feature that the documentation of npm's `centrifuge` describes, in Node, unmodified."""

import asyncio
import re
import shutil

import pytest

from hubbub.testing import serve
from tests.integration.hub.documented import documented
from tests.integration.hub.test_javascript import CLIENT

pytestmark = pytest.mark.anyio

SCRIPT = CLIENT / "tests/documentation.mjs"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not (CLIENT / "node_modules/centrifuge").is_dir(),
    reason="npm's centrifuge is not installed (make setup)",
)
async def test_the_examples_of_its_documentation() -> None:
    app, _ = documented()
    expected = re.findall(r'^  async "(.*)"\(', SCRIPT.read_text(), re.MULTILINE)
    assert len(expected) > 20
    async with serve(app) as server:
        node = await asyncio.create_subprocess_exec(
            "node", str(SCRIPT), server.ws_url, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(90):
                out, _ = await node.communicate()
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()
    assert out.decode().splitlines() == expected
