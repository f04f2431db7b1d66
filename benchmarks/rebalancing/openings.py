"""What the page of each grid opens with, and what its measures are called in words."""

from __future__ import annotations

__all__ = ["MEASURE_WORDS", "opening"]

MEASURE_WORDS = {
    "auprc": "AUPRC",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "log_loss": "log-loss",
    "brier_repaired": "Brier score, repaired",
    "log_loss_repaired": "log-loss, repaired",
    "f1": "F1",
    "g_mean": "G-mean",
    "balanced_accuracy": "balanced accuracy",
    "mcc": "MCC",
}
"""Heading of each measure; the glossary explains them."""

_READ = """**none** trains on the table as it is; **class weight** gives rare rows a larger weight; **repetition** copies them;
the others add synthetic rows until the classes are even. Ranks count from 1, the best, over tables and classifiers; a
failed run ranks last. Higher scores are better, but for the Brier score and the log-loss; the best of a column is
bold. *Repaired*: after probabilities are shifted back to the true class shares. The [glossary](../glossary.md)
explains the measures."""

_OPENINGS = {
    "main": (
        "47 imbalanced tables",
        "Do synthetic rows of the rare class help a classifier, and whose do best? Five classifiers learn from 47 "
        "real tables, each rebalanced in every way below, and are scored on real rows that nobody learnt from. "
        + _READ,
    ),
    "convgen": (
        "14 tables of a published comparison",
        "ConvGeN's authors published F1 on 14 tables. Here are the same tables, preparation, classifiers and folds, "
        "with their figures beside ours. " + _READ,
    ),
    "extreme": (
        "Classes of a handful of rows",
        "What if the rare class is hardly there at all? The training folds of nine real tables hold 7 to 41 rows of it, "
        "beside 9 to 90 times as many others. Our samplers' parameter `focus` was chosen on them, so its default "
        "flatters them here; `focus=0` is shown beside it. " + _READ,
    ),
    "papers": (
        "As published, and as they are",
        "`BAGANOversampler.paper()` and `CGANSampler.paper()` are the networks as their papers describe them. What do "
        "our defaults add? Ten tables, on which the defaults were chosen. " + _READ,
    ),
    "gate": (
        "Only the rows that help",
        'With `gate="average_precision"` a sampler lets synthetic rows through only where held-out rows show that they help '
        "a classifier. How often does it, and are the rows worth it then? 47 tables, five classifiers.",
    ),
    "repair": (
        "Probabilities after rebalancing",
        "A classifier that learnt from even classes says too high probabilities of the rare one. Which repair puts "
        "them right? Brier score and log-loss are lower where probabilities are better.",
    ),
    "speed": (
        "Time on one small table",
        "How long does it take to rebalance 2,000 rows of 11 columns with six classes? The scores are of one fold of "
        "one table, and say nothing about quality. " + _READ,
    ),
}


def opening(name: str) -> tuple[str, str]:
    """Title and first paragraph of a grid's page.

    Parameters
    ----------
    name : str
        Of the grid; that of a whole grid ends in ``-full``.
    """
    base = name.removesuffix("-full")
    title, text = _OPENINGS.get(base, (f"Rebalancing benchmark `{base}`", _READ))
    return title + " (all folds, five times)" * (base != name), text
