"""What the disk may do to us."""

from hubbub.errors import Failure


class StoreFailure(Failure):
    """Something could not be stored: nobody has heard of it.

    Attributes:
        reason: What the database says.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not stored: {reason}")
        self.reason = reason


class DatabaseDamaged(Failure):
    """The database cannot be used, and is not touched.

    Attributes:
        path: The file.
        reason: What is wrong with it.
        backup: A copy that can be used instead; empty: there is none.
    """

    def __init__(self, path: str, reason: str, backup: str = "") -> None:
        hint = (
            f"the copy {backup} is whole: move the damaged file away and put the copy in its place"
            if backup
            else "there is no copy beside it that could take its place"
        )
        super().__init__(f"{path} is damaged: {reason}; {hint}")
        self.path = path
        self.reason = reason
        self.backup = backup
