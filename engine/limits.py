"""Budgets of the work that a reader can start, in one place: sizes, operations, seconds.

A limit is met before work begins, or, where its length cannot be known, while it runs; the page
says what was left out.
"""

from __future__ import annotations

from typing import Final

# A perceptron that learns on a page, in slices that end when its reader leaves.
LEARNING_STEPS: Final = 3000
LEARNING_NUMBERS: Final = 3_000_000  # steps times the numbers that it learns
LEARNING_SLICE: Final = 0.12  # seconds at a time, between which others get their turn

# A typed function whose gradient is checked: every entry runs it six times, on the server and in
# the browser.
CHECKED_OPERATIONS: Final = 60

# A typed function that is differentiated in every way, and what is written out of its derivative.
DIFFERENTIATED_OPERATIONS: Final = 120
PRINTED_OPERATIONS: Final = 40
COMPOSITIONS: Final = 8  # of a function with itself
COMPOSED_OPERATIONS: Final = 4000  # recorded in all, after which no further one is tried
