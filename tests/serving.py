"""A server of ours in a process of its own, for tests that must not share its loop.

Most tests need no process: `hubbub.testing.serve` runs an app inside the test.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0


@contextmanager
def serving(app: str, *arguments: str) -> Iterator[str]:
    """Serves an app, as `hubbub run` names it, for as long as the context lasts.

    Args:
        app: `FILE.py:app`, relative to the project's root.
        arguments: Further flags of `hubbub run`.

    Yields:
        The server's `host:port`, on loopback, with a port the system picked.
    """
    hubbub = Path(sys.executable).with_name("hubbub")
    server = subprocess.Popen(
        [hubbub, "run", app, "--host", "127.0.0.1", "--port", "0", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert server.stdout is not None
    watchdog = Timer(START_TIMEOUT_S, server.kill)
    watchdog.start()
    try:
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"\b127\.0\.0\.1:\d+", line):
                break
        else:
            raise RuntimeError("the server did not start: " + "".join(said))
        watchdog.cancel()
        # Nobody needs the log from here on, but a full pipe would stop the server.
        Thread(target=server.stdout.read, daemon=True).start()
        yield found[0]
    finally:
        watchdog.cancel()
        server.terminate()
        try:
            server.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
