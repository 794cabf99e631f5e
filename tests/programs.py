"""Programs of others that some tests talk to: browsers, proxies, tracers."""

import os
import shutil

import pytest

SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def program(command: str, package: str) -> str:
    """The path of a program; a test is skipped without it, naming the Debian package to install.

    CI skips nothing: there, a program that is missing is a failure.
    """
    if found := shutil.which(command, path=SYSTEM_PATH):
        return found
    reason = f"{command} is not installed: Debian package {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
