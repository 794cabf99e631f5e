"""Each server runs once for a file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.integration.bridges.xmpp.servers import XmppServer, running


@pytest.fixture(scope="module", params=["prosody", "ejabberd"])
def server(
    request: pytest.FixtureRequest,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[XmppServer]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with running(request.param, folder, authority) as one:
        yield one
