"""Routes to a derivative, their errors, their checks and their graphs."""
