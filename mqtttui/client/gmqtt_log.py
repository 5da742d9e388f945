"""gmqtt's log, kept off the screen."""

from __future__ import annotations

import logging
from collections import deque


class Notebook(logging.Handler):
    """Keeps gmqtt's latest warnings: on stderr they would tear the screen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=100)

    def emit(self, record: logging.LogRecord) -> None:
        """Note one line."""
        self.lines.append(record.getMessage())


NOTEBOOK = Notebook()
"""What gmqtt complained about lately; wire text in it is not made visible."""


def quiet_gmqtt() -> None:
    """Send gmqtt's log to NOTEBOOK and nowhere else."""
    logger = logging.getLogger("gmqtt")
    if NOTEBOOK not in logger.handlers:
        logger.addHandler(NOTEBOOK)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
