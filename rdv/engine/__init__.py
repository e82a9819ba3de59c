"""The slot engine: values in, values out.

Nothing here does I/O, reads a clock, the environment or random numbers, or imports the rest of the project.
Time, seeds and work budgets are arguments. Infeasible is a value, not an exception.
"""
