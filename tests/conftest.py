"""What all tests may use."""

import pytest

from tests.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs certificates for this run."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def anyio_backend() -> str:
    """Who awaits does it in asyncio's loop, unless a folder or a file says more."""
    return "asyncio"
