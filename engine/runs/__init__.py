"""Optimizers at work: on a landscape, on a stream, on grids of settings, on networks."""
