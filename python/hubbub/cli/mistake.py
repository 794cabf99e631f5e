"""What ends a command with a message and an exit code."""

FAILED = 1
USAGE = 2
IMPORT = 3
BIND = 4


class Mistake(Exception):
    """Something the user can put right.

    Attributes:
        code: The exit code.
    """

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
