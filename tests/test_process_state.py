"""What is global in a process is left as it was found, and a seed means the same in every process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.process_state import fitted, results


@pytest.fixture(scope="module")
def session():
    """Of another process, with other hashes and more threads than this one."""
    environment = os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}
    words = [sys.executable, "-W", "ignore", "-m", "tests.process_state"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_session_leaves_nothing_behind_in_its_process(session):
    assert session["changed"] == {}


@pytest.mark.filterwarnings("ignore")
def test_a_seed_means_the_same_whatever_the_hashes_the_threads_and_the_process(session):
    expected = json.loads(json.dumps(results(*fitted())))
    for where in ("here", "forked"):
        assert set(session[where]) == set(expected)
        for name, cells in expected.items():
            if name.endswith(("colour", "size")):
                differ = [a != b and a == a for a, b in zip(session[where][name], cells, strict=True)]
                assert np.mean(differ) < 0.02, name
            else:
                np.testing.assert_allclose(session[where][name], cells, rtol=1e-3, atol=1e-3, err_msg=name)
