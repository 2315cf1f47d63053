"""Before any test: one thread for BLAS and torch, as in a cell, and no terminal. Small models lose most of their time to more
threads; a table is as wide as COLUMNS says, which some shells and runners export."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("COLUMNS", None)
