"""How much work a question may take before it is given up as undecided."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Steps of chains and of ejections, deterministic seconds of each use of the solver.

    `placing_steps` are those for all who cannot stay where they stand, at one time.
    """

    repair_steps: int = 400
    ejections: int = 200
    placing_steps: int = 400
    solver_seconds: float = 4.0


DEFAULT = Budget()
