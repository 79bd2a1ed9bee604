"""Programs out of tapes: straight-line source for Python, Numba, CUDA and the browser."""
