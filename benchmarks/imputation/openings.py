"""What the page of each grid opens with: its title, and what a newcomer needs to read the tables."""

from __future__ import annotations

__all__ = ["OPENINGS", "opening"]

_HOW = """Numbers are judged by the root mean squared error (RMSE) in standard deviations of their column, labels by the share
that is wrong. Lower is better; the best of a row is bold. **mean/mode** fills in the mean or the most frequent label,
**kNN(5)** asks the five most similar rows, **MICE** is chained Bayesian ridge regression, **tree chain** chained
forests as in MissForest."""
_MECHANISMS = "in one of three ways: completely at random (MCAR), by the values of other columns (MAR), or by their own value (MNAR)"
_EARLIER = "> Measured with an earlier imputer (commit c45cb1c). The present one is compared on [many small tables](mechanisms.md)."

OPENINGS = {
    "mechanisms": (
        "Many tables, small",
        f"""Which method fills missing values best in a small table? Of 26 real tables, cut to 2,000 rows, a tenth to a half of
the cells was hidden {_MECHANISMS}. {_HOW}""",
    ),
    "external": (
        "Against other packages",
        f"""How do other packages for missing values compare? Six small tables had 30 % of their cells hidden {_MECHANISMS}.
{_HOW} **miceforest** and **HyperImpute** are packages of these names, **GAIN (paper)** is the network as it was
published, and the **re-masking autoencoder** a plain network on the same inputs.""",
    ),
    "wide": (
        "Tables with many columns",
        f"""What if a table has fifty to a hundred columns or more? Three real tables, cut to 2,000 rows, keep all their columns;
30 % of the cells were hidden {_MECHANISMS}. {_HOW}""",
    ),
    "speed": (
        "Time on small tables",
        f"""How long does it take to fill a table of up to 2,000 rows, beside methods of about the same accuracy? Both cores of
the machine were free. {_HOW} **HyperImpute** chooses a model per column.""",
    ),
    "throughput": (
        "Rows per second",
        f"""How many new rows can a fitted imputer fill in a second? {_HOW}""",
    ),
    "first": (
        "The first grid",
        f"""{_EARLIER}

A fifth of the cells of small tables was hidden completely at random. {_HOW} **GAIN (paper)** is the network as it was
published.""",
    ),
    "published": (
        "Against published figures",
        f"""{_EARLIER}

The tables of GAIN's own paper, whole, with a fifth of the cells hidden. Labels count as numbers, as in the paper.
{_HOW}""",
    ),
    "transforms": (
        "Ways to scale numbers",
        f"""{_EARLIER}

Does it matter how numbers are scaled before a network sees them? A fifth of the cells of four small tables was
hidden. {_HOW}""",
    ),
}


def opening(name: str) -> tuple[str, str]:
    """Title and first paragraph of a grid's page.

    Parameters
    ----------
    name : str
        Of the grid; that of a whole grid ends in ``_full``.
    """
    base = name.removesuffix("_full")
    title, text = OPENINGS.get(base, (f"Imputation benchmark `{base}`", _HOW))
    return title + " (whole tables, every method)" * (base != name), text
