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

# A network that trains in the reader's browser: Python records its step and makes the first ones.
TRAINING_STEPS: Final = 3000
NETWORK_NUMBERS: Final = 4000
TRAINING_CHECK: Final = 0.4  # seconds of processor time after which Python makes no further steps

# A typed function whose gradient is checked: every entry runs it six times, on the server and in
# the browser.
CHECKED_OPERATIONS: Final = 60

# A typed function that is differentiated in every way, and what is written out of its derivative.
DIFFERENTIATED_OPERATIONS: Final = 120
PRINTED_OPERATIONS: Final = 40
COMPOSITIONS: Final = 8  # of a function with itself
COMPOSED_OPERATIONS: Final = 4000  # recorded in all, after which no further one is tried

# Learning rates tried for the runners of a race, all together, and halved until a run stays: lines
# of the printed programs × steps, half a microsecond for all rates, 20 nanoseconds for one.
TRIED_LINES: Final = 1_200_000
HALVED_LINES: Final = 50_000_000

# A coarse sweep in a run of a page: lines of the printed program × steps, whatever the grid, and
# that × cells. Nothing is compiled for it; what readers typed gets less.
SWEPT_LINES: Final = 1_000_000
SWEPT_WORK: Final = 250_000_000
TYPED_SWEPT_LINES: Final = 400_000
TYPED_SWEPT_WORK: Final = 100_000_000

# Kernels compiled for sweeps. A line takes 2 to 5 ms to compile (the longest program of our own
# rules has 860), and 1 to 5 MB of memory stay for each kernel for as long as the process lives.
COMPILED_LINES: Final = 1000
COMPILED_KERNELS: Final = 48
WAITING_KERNELS: Final = 3
WAITING_SECONDS: Final = 4.0

# One run of a page, in processor time: the slowest of ours take a second.
SCRIPT_SECONDS: Final = 4.0

# Work beside the script: seconds for one piece of it, for the fine maps of a page, and without a
# look until its reader is taken to have left.
WORK_SECONDS: Final = 30.0
FINE_SECONDS: Final = 10.0
LEFT_SECONDS: Final = 10.0

# The process for long work: its rank (19 is the lowest: on a full machine such work hardly goes on;
# a file that is taken along is made at the same), seconds until it is ended after it was told to
# stop, bytes from which it makes place for a fresh one (it has 210 million with its first kernel,
# and 5 more with each other), bytes that it never has more than, seconds that it may rest.
WORKSHOP_NICE: Final = 12
WORKSHOP_GRACE: Final = 2.0
WORKSHOP_BYTES: Final = 300_000_000
WORKSHOP_MOST: Final = 2_000_000_000
WORKSHOP_REST: Final = 120.0

# A typed landscape with its gradient, and a typed rule, in operations once all is written out.
FORMULA_LINES: Final = 400
RULE_LINES: Final = 3000

# A page that is taken along: seconds for its file, which a process of its own makes, one at a time;
# visitors who may wait for theirs, characters of a link, files kept (300 kB each, 2 MB in space).
TAKEN_SECONDS: Final = 180.0
TAKEN_WAITING: Final = 8
TAKEN_LINK: Final = 6000
TAKEN_KEPT: Final = 16
