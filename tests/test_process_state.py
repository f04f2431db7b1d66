"""What is global in a process is left as it was found."""

import json
import subprocess
import sys


def test_a_session_leaves_nothing_behind_in_its_process():
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "tests.process_state"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}
