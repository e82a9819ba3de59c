"""How much work a question may take before it is given up as undecided."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Steps of chains and of ejections, deterministic seconds of each use of the solver.

    `placing_steps` are those for each visit that cannot stay where it stands: of an over-full office many cannot.
    """

    repair_steps: int = 400
    ejections: int = 200
    placing_steps: int = 400
    solver_seconds: float = 4.0


DEFAULT = Budget()
