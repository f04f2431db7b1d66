"""A simulated table of a bank's calls to customers, in the columns and shapes that the public one is described with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.rebalancing.tables import LabelledTable

__all__ = ["bank_like"]

_JOBS = ("blue-collar", "management", "technician", "admin.", "services", "retired", "self-employed", "student")
_EDUCATION = ("primary", "secondary", "tertiary", "unknown")
_MONTHS = ("may", "jul", "aug", "jun", "nov", "apr", "feb", "oct")


def bank_like(n: int, seed: int = 0) -> LabelledTable:
    """Sixteen columns: heavy tails, zeros, counts, a number that is -1 where nothing happened, labels that go with others.

    Parameters
    ----------
    n : int
        Rows.
    seed : int, default=0
    """
    rng = np.random.default_rng(seed)
    wealth, zeal = rng.normal(size=n), rng.normal(size=n)
    education = np.clip(np.rint(1 + 0.6 * wealth + 0.7 * rng.normal(size=n)), 0, 2).astype(int)
    education[rng.random(n) < 0.04] = 3
    job = np.argmax(
        np.log([0.22, 0.21, 0.17, 0.12, 0.1, 0.08, 0.06, 0.04])
        + 0.9 * np.outer(education == 2, [-1.5, 1.5, 0.3, -0.5, -1, -0.5, 0.5, 0.5])
        + rng.gumbel(size=(n, 8)),
        axis=1,
    )
    age = np.clip(np.rint(33 + 8 * rng.gamma(1.2, 1, n) + 25 * (job == 5) - 12 * (job == 7)), 18, 95)
    married = rng.random(n) < 1 / (1 + np.exp(-(age - 36) / 8))
    balance = np.rint(np.exp(6 + 0.9 * wealth + 0.8 * rng.normal(size=n)) - 250)
    balance[rng.random(n) < 0.08] = 0
    housing = rng.random(n) < 1 / (1 + np.exp((age - 45) / 10))
    contacted = rng.random(n) < 0.18 + 0.05 * (zeal > 0)
    previous = np.where(contacted, rng.geometric(0.4, n), 0)
    pdays = np.where(contacted, np.clip(np.rint(rng.choice([92, 182, 350], n) + 25 * rng.normal(size=n)), 1, 871), -1)
    success = contacted & (rng.random(n) < 1 / (1 + np.exp(1.5 - 0.8 * zeal)))
    outcome = np.where(~contacted, "unknown", np.where(success, "success", rng.choice(["failure", "other"], n)))
    month = np.minimum(rng.geometric(0.28, n) - 1, 7)
    campaign = rng.geometric(0.38, n)
    duration = np.rint(np.exp(5.2 + 0.75 * rng.normal(size=n) + 0.25 * zeal))
    odds = -2.4 + 1.5 * (np.log1p(duration) - 5) + 2 * success + 0.5 * zeal - 0.6 * housing + 0.25 * wealth
    odds += 0.8 * (month >= 6) - 0.12 * campaign + 0.5 * np.isin(job, [5, 7])
    frame = pd.DataFrame(
        {"age": age, "balance": balance, "day": rng.integers(1, 32, n), "duration": duration, "campaign": campaign}
        | {"pdays": pdays, "previous": previous},
        dtype=float,
    )
    labels = {
        "job": np.array(_JOBS, dtype=object)[job],
        "marital": np.where(married, "married", np.where(rng.random(n) < 0.25, "divorced", "single")).astype(object),
        "education": np.array(_EDUCATION, dtype=object)[education],
        "default": np.where(rng.random(n) < 0.02 + 0.03 * (balance < 0), "yes", "no").astype(object),
        "housing": np.where(housing, "yes", "no").astype(object),
        "loan": np.where(rng.random(n) < 0.16 - 0.05 * (wealth > 0.5), "yes", "no").astype(object),
        "contact": rng.choice(["cellular", "unknown", "telephone"], n, p=[0.65, 0.29, 0.06]).astype(object),
        "month": np.array(_MONTHS, dtype=object)[month],
        "poutcome": outcome.astype(object),
    }
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    return LabelledTable(f"bank-like, {n:,}", frame.assign(**labels), y, tuple(labels), ("no", "yes"))
