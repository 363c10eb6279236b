"""Two workers on two cores: threads of the linear algebra inside each would only get in the others' way."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
