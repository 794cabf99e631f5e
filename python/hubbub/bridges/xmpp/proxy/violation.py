"""`Violation`: what one of the two ends has said that no stream may hold (pure)."""


class Violation(Exception):
    """A stream must end because of what was said on it.

    Attributes:
        condition: Why, as RFC 6120 §4.9.3 calls it.
        text: The same in words.
    """

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(f"{condition}: {text}")
        self.condition = condition
        self.text = text


class TooMuch(Violation):
    """More than the limit allows."""

    def __init__(self, text: str) -> None:
        super().__init__("policy-violation", text)
