"""What an engine tells about trouble: into the log, and to whoever listens."""

import logging
from collections.abc import Callable

from hubbub.log import logger, printable

Listener = Callable[[str, BaseException | None, int, str], None]
"""Gets event, exception, connection id and path."""


class Reports:
    """The `report` of an engine.

    Attributes:
        listener: Gets every report, too; the test kit raises handlers' exceptions again.
    """

    def __init__(self) -> None:
        self.listener: Listener | None = None

    def __call__(
        self, event: str, exception: BaseException | None, connection_id: int, path: str
    ) -> None:
        """Takes one report."""
        if event == "limit":
            # Of nobody in particular: `path` says which one, and who came up against it.
            logger.warning("%s", printable(path), extra={"event": event})
            return
        logger.log(
            logging.WARNING if exception is None else logging.ERROR,
            "%s: connection %d, path %s",
            event,
            connection_id,
            printable(path),
            exc_info=exception,
            extra={"event": event, "connection": connection_id, "path": path},
        )
        if self.listener is not None:
            self.listener(event, exception, connection_id, path)
