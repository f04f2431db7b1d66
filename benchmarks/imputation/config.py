"""What the imputation benchmark runs, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["CHAINS", "GRIDS", "TUNING_TABLES", "UNCUT_TUNING_TABLES", "Cell", "Grid"]

# Hyperparameters were chosen by looking at these tables (MCAR 20 %, seed 0, cut to 2,000 rows; the last four, and further
# mechanisms, when forests were added). Reports show the others apart.
TUNING_TABLES = (
    "breast_cancer",
    "letter",
    "winequality_white",
    "phoneme",
    "yeast",
    "california_housing",
    "abalone",
    "page_blocks",
    "auto_imports",
    "mpg",
    "winequality_red",
    "glass",
)

NUMERIC_TABLES = (
    *TUNING_TABLES[:6],
    "page_blocks",
    "winequality_red",
    "spambase",
    "pima",
    "mammography",
    "ecoli",
    "glass",
    "oil_spill",
)
NARROW_TABLES = (
    "winequality_white",
    "phoneme",
    "yeast",
    "california_housing",
    "abalone",
    "page_blocks",
    "winequality_red",
    "pima",
    "mammography",
    "ecoli",
    "glass",
)
# Many columns or many levels: chains of regressions take minutes there.
SLOW_TABLES = (
    "letter",
    "breast_cancer",
    "german_credit",
    "auto_imports",
    "oil_spill",
    "bike_sharing_hour",
    "adult_train",
    "default_credit_card",
    "communities_crime",
    "spambase",
)
MECHANISM_TABLES = (
    *NARROW_TABLES,
    "haberman",
    "penguins",
    "mpg",
    "diamonds",
    "hepatitis",
    *SLOW_TABLES,
)
# HyperImpute needs about a minute each; four of these were not looked at while choosing hyperparameters.
EXTERNAL_TABLES = ("glass", "pima", "winequality_red", "mammography", "phoneme", "abalone")
CLASSICAL = ("mean/mode", "kNN(5)", "MICE", "tree chain")
WIDE_TABLES = ("communities_crime", "oil_spill", "spambase")
CHAINS = ("boosting chain", "tree chain, 4 rounds")
# The first three were looked at while the network, boosting and the two blends were chosen.
UNCUT_TUNING_TABLES = ("california_housing", "letter", "default_credit_card")
UNCUT_TABLES = (
    *UNCUT_TUNING_TABLES,
    "diamonds",
    "bike_sharing_hour",
    "adult_train",
    "beijing_pm25",
    "mushroom",
    "caravan",
)
MIXED_TABLES = ("abalone", "diamonds", "bike_sharing_hour", "german_credit")


@dataclass(frozen=True)
class Cell:
    """One thing to run: a method on a table under a mask."""

    table: str
    mechanism: str
    rate: float
    seed: int
    method: str
    test_fraction: float = 0.0


@dataclass(frozen=True)
class Grid:
    """All combinations of its parts, at a table size.

    Parameters
    ----------
    only : dict of str to tuple
        Methods that are too slow for every table: the tables they do run on.
    first_rate_only : dict of str to tuple
        Methods that are slow on some tables: the tables where they run at the first rate only.
    all_numeric : bool, default=False
        Take integer-coded categories as numbers, as GAIN's own experiments do.
    borrows : tuple of str
        Grids with tables of the same size: their rows count here too, and are not run again.
    time_limit : float, default=1800.0
        Seconds per cell; a method that needs more has failed there.
    """

    name: str
    tables: tuple[str, ...]
    methods: tuple[str, ...]
    mechanisms: tuple[str, ...] = ("mcar",)
    rates: tuple[float, ...] = (0.2,)
    seeds: tuple[int, ...] = (0, 1, 2)
    max_rows: int | None = 2000
    max_columns: int | None = 60
    test_fraction: float = 0.0
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_rate_only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    all_numeric: bool = False
    borrows: tuple[str, ...] = ()
    time_limit: float = 1800.0

    def full(self) -> Grid:
        """All rows and columns, every method on every table at every rate, and six hours per cell."""
        return replace(
            self,
            name=f"{self.name}_full",
            max_rows=None,
            max_columns=None,
            only={},
            first_rate_only={},
            borrows=(),
            time_limit=21_600.0,
        )

    def cells(self) -> list[Cell]:
        """In an order that finishes a seed, then a rate, then a table first: what is there so far is balanced."""
        return [
            Cell(table, mechanism, rate, seed, method, self.test_fraction)
            for seed in self.seeds
            for rate in self.rates
            for table in self.tables
            for mechanism in self.mechanisms
            for method in self.methods
            if table in self.only.get(method, self.tables)
            and (rate == self.rates[0] or table not in self.first_rate_only.get(method, ()))
        ]


GRIDS = {
    grid.name: grid
    for grid in (
        Grid("smoke", ("glass",), ("mean/mode", "kNN(5)", "GAINImputer"), seeds=(0,), max_rows=100),
        Grid(
            "first",
            NUMERIC_TABLES + MIXED_TABLES,
            ("mean/mode", "kNN(5)", "MICE", "tree chain", "GAIN (paper)", "GAINImputer"),
            only={"tree chain": NARROW_TABLES},  # the chain's time grows with the square of the columns
        ),
        Grid(
            "mechanisms",
            MECHANISM_TABLES,
            ("mean/mode", "kNN(5)", "MICE", "tree chain", "GAINImputer"),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3, 0.1, 0.5),
            only={
                "tree chain": tuple(
                    table for table in MECHANISM_TABLES if table not in ("spambase", "communities_crime")
                )
            },
            first_rate_only={"tree chain": SLOW_TABLES, "MICE": SLOW_TABLES},
        ),
        Grid(
            "external",
            EXTERNAL_TABLES,
            (
                *CLASSICAL,
                "miceforest",
                "HyperImpute",
                "HyperImpute's GAIN",
                "GAIN (paper)",
                "re-masking autoencoder",
                "GAINImputer",
            ),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3,),
            seeds=(0,),
            borrows=("mechanisms",),
        ),
        Grid(
            "autoencoder",
            MECHANISM_TABLES,
            ("re-masking autoencoder", "GAINImputer"),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3,),
            borrows=("mechanisms", "external"),
        ),
        Grid(
            "out_of_sample",
            MECHANISM_TABLES,
            (*CLASSICAL, "re-masking autoencoder", "GAINImputer"),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3,),
            test_fraction=0.3,
            only={"tree chain": NARROW_TABLES},
        ),
        Grid(
            "wide",
            WIDE_TABLES,
            ("mean/mode", "kNN(5)", "MICE", "GAINImputer"),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3,),
            max_columns=None,
            time_limit=900.0,
        ),
        # Both need the machine to themselves, unpinned.
        Grid(
            "speed",
            ("glass", "pima", "winequality_red", "phoneme", "abalone"),
            ("HyperImpute", "tree chain, 2 jobs", "GAINImputer, 2 jobs", "GAINImputer"),
            rates=(0.3,),
            seeds=(0,),
        ),
        Grid(
            "throughput",
            ("letter",),
            ("kNN(5)", "tree chain, 2 jobs", "GAINImputer"),
            seeds=(0,),
            max_rows=None,
            max_columns=None,
            test_fraction=0.3,
            time_limit=7200.0,
        ),
        Grid(
            "transforms",
            ("page_blocks", "abalone", "winequality_white", "california_housing"),
            (
                "GAINImputer, no draws",
                "GAINImputer, robust",
                "GAINImputer, quantile",
                "GAINImputer, power",
                "GAINImputer, minmax",
            ),
            seeds=(0,),
        ),
        Grid(
            "published",
            ("breast_cancer", "letter", "spambase", "default_credit_card"),
            ("mean/mode", "kNN(5)", "MICE", "GAIN (paper)", "GAIN (paper's hint)", "GAINImputer"),
            seeds=(0, 1),
            max_rows=None,
            max_columns=None,
            only={"kNN(5)": ("breast_cancer", "spambase")},
            all_numeric=True,
        ),
        Grid(
            "uncut",
            UNCUT_TABLES,
            ("mean/mode", "MICE", *CHAINS, "GAINImputer, fast", "GAINImputer", "GAINImputer, best"),
            mechanisms=("mcar", "mar", "mnar"),
            rates=(0.3,),
            seeds=(0,),
            max_rows=None,
            max_columns=None,
            time_limit=7200.0,
        ),
    )
}
"""Grids by name; ``python -m benchmarks.imputation --help`` says what each is for."""
