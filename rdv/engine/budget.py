"""How much work a question may take before it is given up as undecided."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Steps of chains and of ejections, deterministic seconds of the solver for one question.

    A question is whether some starts of one stretch of time are feasible, or where somebody sits; how many more fit at
    one start is a smaller one (`COUNTING`), since what is known to fit is an answer, too.

    `placing_steps` are those for all who cannot stay where they stand, at one time.
    """

    repair_steps: int = 400
    ejections: int = 200
    placing_steps: int = 400
    solver_seconds: float = 2.0


DEFAULT = Budget()
COUNTING = 1 / 8  # of the solver's time


@dataclass(slots=True)
class Purse:
    """The deterministic seconds that the solver has left for a question, however often it is used."""

    seconds: float
