"""The tape and what reads it: operations, derivatives, numbers of other kinds, formulas."""

from engine.tape.record import OPERATORS, Arithmetic, Operation, Tape, Value, Vector, apply

__all__ = ["OPERATORS", "Arithmetic", "Operation", "Tape", "Value", "Vector", "apply"]
