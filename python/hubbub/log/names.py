"""The loggers by their names; nothing about handlers."""

import logging

logger = logging.getLogger("hubbub")
access = logging.getLogger("hubbub.access")


def app_logger(name: str) -> logging.Logger:
    """The logger of one application module: `hubbub.app.NAME`.

    Args:
        name: The module's name in the configuration.
    """
    return logging.getLogger(f"hubbub.app.{name}")
