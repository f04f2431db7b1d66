"""The parameters of both samplers by what they are for, the ones that matter most first; signatures and documentation follow it."""

from __future__ import annotations

__all__ = ["BAGAN_GROUPS", "CGAN_GROUPS"]

_TABLE = ("missing_values", "categorical_features", "column_kinds")
_RUN = ("max_time", "random_state", "verbose")
_ROWS = "How rows are made"
_NETWORK = "Training of the GAN (classes of fewer than 1,000 rows)"
_SIZES = ("d_noise", "width", "n_blocks")
_WEIGHTS = ("adversarial_weight", "energy_weight")
_LAST = {"How columns are encoded": ("max_categories",), "Where it runs": ("device", "n_threads")}

BAGAN_GROUPS: dict[str, tuple[str, ...]] = {
    "Basics": ("sampling_strategy", "gate", "costs", *_TABLE, *_RUN),
    _ROWS: ("start", "focus", "redraws"),
    _NETWORK: ("n_steps", "patience", "batch_size", "learning_rate", *_SIZES, *_WEIGHTS, "autoencoder_steps"),
    **_LAST,
}
"""Of `BAGANOversampler`."""

CGAN_GROUPS: dict[str, tuple[str, ...]] = {
    "Basics": ("sampling_strategy", "gate", "costs", "condition_columns", *_TABLE, *_RUN),
    _ROWS: ("start", "focus", "redraws"),
    _NETWORK: (
        "n_steps",
        "patience",
        "batch_size",
        "learning_rate",
        "betas",
        *_SIZES,
        "conditioning",
        "loss",
        "gradient_penalty",
        "n_critic",
        "wrong_weight",
        *_WEIGHTS,
    ),
    **_LAST,
}
"""Of `CGANSampler`."""
