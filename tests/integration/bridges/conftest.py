"""A bridge's own streams are the same in any loop; its front is tested in each (`on_each_loop`)."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
