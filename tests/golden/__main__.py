"""Golden outputs of all three families: ``python -m tests.golden`` renews the file, ``--hash`` prints a digest per output.

The file holds what one machine computed. Another processor adds up in another order, and training carries the difference on, so the
test compares within the tolerances that `tests/golden/test_golden.py` states; equal digests are for two runs on one machine.
"""

import sys

import torch

from tests.golden.outputs import FILE, digests, outputs, write

torch.set_num_threads(1)
if "--hash" in sys.argv:
    for name, digest in digests(outputs()).items():
        print(digest, name)
else:
    write(outputs())
    print(f"wrote {FILE} ({FILE.stat().st_size:,} bytes)")
