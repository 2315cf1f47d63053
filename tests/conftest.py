"""Before any test: one thread for BLAS and torch, as in a cell, and no width of a terminal.

Small models lose most of their time to more threads; tables are as wide as COLUMNS says, which some runners export.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("COLUMNS", None)
