"""Before any test: one thread for BLAS and torch, as in a cell. Small models lose most of their time to more."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
