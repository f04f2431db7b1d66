"""``python -m benchmarks.alarms``: what `tabgan.check` suspects in the real tables, and which of it is a false alarm.

A finding is right where the manifest says so (identifier columns; categories, the target of a classification among them) or the
documentation of the table does; all others are false alarms. Facts, such as rows that repeat others, are no suspicions.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.data import about, data_folder, load_frame, real_tables
from tabgan.checks.findings import Finding
from tabgan.checks.suspected import find_suspicions
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

__all__ = ["Alarm", "alarms_of", "main"]

DOCUMENTED = {
    ("adult_train", "capital-gain"): "99999 stands for more than that",
    ("adult_test", "capital-gain"): "99999 stands for more than that",
    ("diamonds", "x"): "zeros are bad measurements",
    ("diamonds", "y"): "zeros are bad measurements",
    ("diamonds", "z"): "zeros are bad measurements",
    ("pima", "glucose"): "zeros are missing values",
    ("pima", "blood_pressure"): "zeros are missing values",
    ("pima", "bmi"): "zeros are missing values",
    ("bike_sharing_hour", "dteday"): "dates that were read as text",
}


@dataclass(frozen=True)
class Alarm:
    """One finding in one table, and why it is right; ``reason`` is empty for a false alarm."""

    table: str
    finding: Finding
    reason: str


def alarms_of(name: str) -> list[Alarm]:
    """All suspicions about one real table, read as the manifest says."""
    table = read_table(load_frame(name))
    found = find_suspicions(table, infer_schema(table))
    return [Alarm(name, finding, _reason(name, finding, about(name))) for finding in found]


def _reason(name: str, finding: Finding, meta: dict) -> str:
    column = finding.columns[0] if finding.columns else ""
    if finding.kind in ("id", "codes") and column in meta["ids"]:
        return "identifier"
    classes = [meta["target"]] if "class" in meta["task"] or meta["task"] == "binary" else []
    if finding.kind == "codes" and column in [*meta["categorical"], *classes]:
        return "category"
    return DOCUMENTED.get((name, str(column)), "")


def main() -> None:
    """Print every finding, and the counts."""
    found = [alarm for name in real_tables() for alarm in alarms_of(name)]
    print("| table | finding | column | right because |\n|---|---|---|---|")
    for alarm in found:
        columns = ", ".join(map(str, alarm.finding.columns))
        print(f"| {alarm.table} | {alarm.finding.kind} | {columns} | {alarm.reason or '**false alarm**'} |")
    kinds = sorted({alarm.finding.kind for alarm in found})
    print("\n| detection | alarms | false |\n|---|---|---|")
    for kind in kinds:
        those = [alarm for alarm in found if alarm.finding.kind == kind]
        print(f"| {kind} | {len(those)} | {sum(not alarm.reason for alarm in those)} |")
    print(
        f"\n{len(real_tables())} tables, {len(found)} alarms, {sum(not alarm.reason for alarm in found)} of them false"
    )


if __name__ == "__main__":
    if data_folder() is None:
        raise SystemExit("no benchmark data: set TABGAN_DATA to the folder that holds manifest.json")
    main()
