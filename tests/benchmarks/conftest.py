"""Cells of a grid run in forked processes, and those must not count on threads that stayed behind."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def _one_thread():
    """A forked process waits for ever for the OpenMP threads that its parent had; with one thread it asks for none."""
    with threadpool_limits(1):
        yield
