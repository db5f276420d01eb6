"""Figures over all examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    steps: int = 0
    examples: int = 0
    settled: int = 0
    faults: int = 0
    kills: int = 0
    stalls: int = 0
    calls: int = 0
    divergences: int = 0
    duplicates: int = 0
    foreign_changed: int = 0
    clock_jumps: int = 0
    careful_bookings: int = 0
    bookings_over_live: int = 0
    in_quiet: Counter[str] = field(default_factory=Counter)  # acts that were judged by themselves

    def line(self) -> str:
        return (
            f"{self.steps} steps in {self.examples} examples, settled {self.settled} times; "
            f"{self.faults} faults, {self.kills} kills, {self.stalls} stalls, {self.calls} calls, "
            f"{self.clock_jumps} clock jumps, {self.careful_bookings} careful bookings"
        )

    def report(self, *, seed: int, rounds: int) -> str:
        figures = {
            "seed": seed,
            "rounds": rounds,
            "steps": self.steps,
            "faults injected": self.faults,
            "workers killed": self.kills,
            "workers overtaken": self.stalls,
            "calls made": self.calls,
            "clock jumps": self.clock_jumps,
            "careful bookings": self.careful_bookings,
            "divergences": self.divergences,
            "duplicates": self.duplicates,
            "foreign events changed": self.foreign_changed,
            "bookings over live events": self.bookings_over_live,
        }
        figures |= {name.replace("_", " "): count for name, count in sorted(self.in_quiet.items())}
        return "\n".join(f"{name:<32}{figure:>12,}" for name, figure in figures.items())
