"""What an Autobahn report says of a server, read strictly.

Pure: takes the decoded `index.json` of a run and tells what deviates; starting servers and
running cases is the business of `autobahn.py`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GROUPS: Mapping[str, tuple[str, int]] = {
    "1": ("framing", 16),
    "2": ("pings and pongs", 11),
    "3": ("reserved bits", 7),
    "4": ("reserved opcodes", 10),
    "5": ("fragmentation", 20),
    "6": ("UTF-8", 145),
    "7": ("closing", 37),
    "9": ("limits and performance", 54),
    "10": ("automatic fragmentation", 1),
    "12": ("compression, payloads", 90),
    "13": ("compression, parameters", 126),
}
"""Title and number of cases of each group that has any. A run with fewer is not a whole run."""

INFORMATIONAL = frozenset({"7.1.6", "7.13.1", "7.13.2"})
"""Cases that Autobahn only observes: they have no OK to reach."""


@dataclass(frozen=True)
class Verdict:
    """How one case ended: what was exchanged, and how the connection was closed."""

    case: str
    behavior: str
    behavior_close: str
    duration_ms: int

    @property
    def group(self) -> str:
        """The first number of the case, a key of `GROUPS`."""
        return self.case.partition(".")[0]

    @property
    def expected(self) -> str:
        """The only verdict that is good enough."""
        return "INFORMATIONAL" if self.case in INFORMATIONAL else "OK"

    @property
    def deviation(self) -> str | None:
        """What is wrong with it, or None: NON-STRICT is wrong too."""
        if self.behavior == self.behavior_close == self.expected:
            return None
        return (
            f"{self.case}: behavior {self.behavior}, close {self.behavior_close}"
            f" (expected {self.expected})"
        )


@dataclass(frozen=True)
class Report:
    """All verdicts of one run, in the order in which the cases ran."""

    verdicts: tuple[Verdict, ...]

    @classmethod
    def from_index(cls, index: Mapping[str, Any]) -> "Report":
        """Reads a decoded `index.json`.

        Raises:
            ValueError: the report is of no server, or of several.
        """
        if len(index) != 1:
            raise ValueError(f"expected the report of one server: {sorted(index)}")
        (cases,) = index.values()
        return cls(
            tuple(
                Verdict(case, entry["behavior"], entry["behaviorClose"], entry["duration"])
                for case, entry in cases.items()
            )
        )

    def count(self, group: str) -> Counter[str]:
        """How often each behaviour was seen in a group."""
        return Counter(v.behavior for v in self.verdicts if v.group == group)

    def deviations(self) -> list[str]:
        """Every case that did not end as it must."""
        return [text for verdict in self.verdicts if (text := verdict.deviation)]

    def gaps(self) -> list[str]:
        """Every group of which this run has not seen all cases."""
        return [
            f"group {group}: {sum(self.count(group).values())} of {size} cases"
            for group, (_, size) in GROUPS.items()
            if sum(self.count(group).values()) != size
        ]
