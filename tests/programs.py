"""Programs of others that some tests talk to: browsers, proxies, tracers."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def program(command: str, package: str) -> str:
    """The path of a program; a test is skipped without it, naming the Debian package to install.

    CI skips nothing: there, a program that is missing is a failure.
    """
    found = shutil.which(command, path=SYSTEM_PATH)
    return found if found is not None else missing(command, package)


def data(path: str, package: str) -> Path:
    """A file of a package that has no command of its own; otherwise as with `program`."""
    found = Path(path)
    if not found.exists():
        missing(path, package)
    return found


def missing(what: str, package: str) -> NoReturn:
    """Skips a test for want of a package; in CI, fails it."""
    reason = f"{what} is not installed: Debian package {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
