"""Rows to Markdown tables, with a sentence on what each shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["write_report"]

_HIDDEN = {"device", "commit", "parameters", "n", "judge_accuracy"}
_TITLES = {
    "smoke": "A few steps, to see that everything runs",
    "digits": "scikit-learn's digits, 8 x 8; three disjoint parts for judge (500), training (648), comparison (649)",
    "began": "BEGAN on digits, from the paper's settings to the recipe's, one change at a time; 1,500 steps",
    "mnist": "MNIST, 28 x 28: judge 5,000, training 5,000, comparison 1,000",
    "fashion": "Fashion-MNIST, 28 x 28, the same parts",
    "mnist-full": "MNIST with the settings for a GPU",
    "fashion-full": "Fashion-MNIST with the settings for a GPU",
    "bagan": "BAGAN's experiment: one digit of MNIST keeps 2.5 % of its images; keys are method / digit / seed",
    "balancing": "What added images of a rare class do for classifiers; keys are data / rare class / share kept / seed / method",
    "stacked": "Stacked MNIST: kinds found among 1,000 by 26,000 samples, and KL to all alike; keys are method / steps",
    "ring": "The ring of 8 Gaussians (radius 1, sd 0.05): modes with over 2.5 % of the points, share of points within 3 sd",
    "heat": "Boundary temperatures to the steady heat field, 16 x 16, 300 plates held out",
    "resolution": "7 x 7 digits (shown at 28 x 28) to 28 x 28, 300 held out",
    "deblending": "Two overlapping digits, apart again, 300 pairs of unseen digits",
    "cyclegan": "Digits and their negatives without pairs; error against the hidden truth, in grey levels from -1 to 1",
    "speed": "CPU seconds per step beside a loop written by hand, 28 x 28, without labels, at the defaults but for averaging; medians",
    "vectors": "Class and style as a vector: combinations that training never showed",
}


def write_report(results: Path, page: Path) -> str:
    """One table per results file, in the order above, written to ``page``."""
    parts = [
        "# Image benchmarks",
        "",
        "How near are generated images to real ones? *frechet* and *kid* are distances between features, lower is better. "
        "*precision* to *coverage* say how many images lie among those of the other kind, higher is better. *c2st_auc* is .5 "
        "where a classifier cannot tell them apart, *accuracy* the share that shows the class asked for. Features are of a "
        "judge of our own, so that no figure compares with a published FID.",
        "",
        "Written by `python -m benchmarks.images report`; CPU seconds are of one core.",
        "",
    ]
    for name, title in _TITLES.items():
        file = results / f"{name}.jsonl"
        if not file.is_file():
            continue
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        columns = [column for column in dict.fromkeys(key for row in rows for key in row) if column not in _HIDDEN]
        parts += [f"## {name}", "", title + ".", "", _line(columns), "|" + "---|" * len(columns)]
        parts += [_line([_shown(row.get(column)) for column in columns]) for row in rows]
        parts.append("")
    text = "\n".join(parts)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)
    return text


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
