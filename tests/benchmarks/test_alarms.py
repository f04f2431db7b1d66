"""The detections on real tables: what they name, and how seldom they are wrong."""

import pytest

from benchmarks.alarms import alarms_of
from benchmarks.data import real_tables


@pytest.mark.usefixtures("shared_data")
def test_three_false_alarms_at_most():
    found = [alarm for name in real_tables() for alarm in alarms_of(name)]
    assert sum(not alarm.reason for alarm in found) <= 3
    right = {(alarm.table, alarm.finding.columns[0]) for alarm in found if alarm.reason}
    assert {("pima", "bmi"), ("titanic", "PassengerId"), ("caravan", "MOSTYPE"), ("horse_colic", "outcome")} <= right
