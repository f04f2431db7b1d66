"""``docs/images.md`` from its template ``page.md`` and the results: figures, tables, pictures, lines of code."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.images.page_tables import (
    balancing_table,
    mean_recall,
    recall_by_share,
    stacked_table,
    standings,
    working,
)
from tabgan.images import recipes

__all__ = ["lines_of_code", "write_page"]

Rows = Mapping[str, dict[str, Any]]
_GALLERY = (
    "real gaussians wgan-gp projection sngan acgan cgan bagan dragan minimax lsgan matching-aware feature-matching wgan dcgan "
    "stackgan minibatch-discrimination unrolled began "
    "r3gan non-saturating vae autoencoder gmmn rbm pixelcnn"
).split()
_DISTANCES = {"frechet": "Frechet", "coverage": "coverage", "accuracy": "conditional accuracy"}
_TABLES = {
    "bagan": {
        "fidelity": "fidelity",
        "pair_similarity": "pair similarity",
        "pair_similarity_of_real": "that of real images",
        "frechet": "Frechet",
    },
    "heat": {"l1": "L1 error", "l2": "L2 error", "high_frequency": "high frequency"},
    "resolution": {"l1": "L1 error", "l2": "L2 error", "high_frequency": "high frequency"},
    "deblending": {"l1": "L1 error", "l2": "L2 error", "high_frequency": "high frequency"},
    "cyclegan": {
        "error": "error",
        "error_of_no_change": "of no change",
        "error_of_mean_image": "of the mean image",
        "cycle_error": "cycle error",
    },
    "vectors": {
        "n_combinations": "combinations",
        "digit_right": "digit right",
        "bold_right": "bold right",
        "slant_right": "slant right",
    },
    "began": _DISTANCES,
}
_MISSING = "not measured yet"
_SHOWN = {
    "ring": "Points drawn by each method around a ring of eight normal distributions",
    "heat": "Heat fields: sources, true fields, and those predicted by each method",
    "resolution": "Blurred digits, true digits, and those made sharp by each method",
    "deblending": "Two digits laid over each other, and the two that each method tells apart",
    "cyclegan-10-0": "Images of one kind, and what CycleGAN makes of them in the other kind and back",
    "stacked-r3gan": "Three digits in red, green and blue over each other, as R3GAN draws them",
    "vectors": "Digits drawn for vectors of class and style that were left out of training",
}


def write_page(results: Path, template: Path, page: Path) -> None:
    """Fill the template.

    ``{standings}``, ``{working}``, ``{balancing:DATA}``, ``{recall:DATA|METHOD}``, ``{shares}``, ``{stacked}``,
    ``{ring:NAME}``, ``{table:NAME}``, ``{picture:FILE}``, ``{gallery:GRID}``,
    ``{lines}``, ``{digits:NAME}``, and ``{row:FILE|KEY|COLUMN}`` for a single figure.
    """
    found = {file.stem: _rows(file) for file in results.glob("*.jsonl")}
    pictures = page.parent / page.stem
    pictures.mkdir(exist_ok=True)

    def fill(match: re.Match[str]) -> str:
        kind, _, name = match.group(1).partition(":")
        if kind == "digits":
            return _scores(found.get("digits", {}), name)
        if kind == "ring":
            return _ring(found.get("ring", {}), name)
        if kind == "row":
            file, key, column = name.split("|")
            return _figure(found.get(file, {}).get(key, {}).get(column))
        if kind == "table":
            return _table(found.get(name, {}), _TABLES[name])
        if kind == "picture":
            return _picture(results / "pictures" / name, pictures)
        if kind == "gallery":
            return _gallery(found.get(name, {}), results / "pictures", pictures)
        if kind in ("standings", "working"):
            return standings(results) if kind == "standings" else working(results)
        if kind == "balancing":
            return balancing_table(_of_data(found, name))
        if kind == "recall":
            data, method = name.split("|")
            return _figure(mean_recall(_of_data(found, data), method), 2)
        if kind == "stacked":
            return stacked_table(list(found.get("stacked", {}).values()))
        if kind == "shares":
            return recall_by_share(list(found.get("balancing", {}).values()))
        if kind == "lines":
            return lines_of_code()
        return match.group(0)

    page.write_text(re.sub(r"\{([a-z]+(?::[^{}]+)?)\}", fill, template.read_text()))


def _of_data(found: Mapping[str, Rows], name: str) -> list[dict[str, Any]]:
    """Rows of the balancing experiment on one data set, or on several, joined by ``+``."""
    rows = found.get("balancing", {}).values()
    return [row for row in rows if row["key"].split("/")[0] in name.split("+")]


def lines_of_code() -> str:
    """Code lines per recipe file, without imports, docstrings and comments."""
    files: dict[Path, list[str]] = {}
    for recipe in recipes.values():
        files.setdefault(Path(str(inspect.getsourcefile(recipe.training))), []).append(recipe.name)
    lines, total = ["| file | recipes | lines | per recipe |", "|---|---|---|---|"], 0
    for file, names in files.items():
        count = _code_lines(file.read_text())
        total += count
        lines.append(f"| `{file.name}` | {', '.join(names)} | {count} | {count / len(names):.0f} |")
    return "\n".join([*lines, f"| all | {len(recipes)} | {total} | {total / len(recipes):.0f} |"])


def _code_lines(text: str) -> int:
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or isinstance(node, (ast.Import, ast.ImportFrom)):
            skipped |= set(range(node.lineno, node.end_lineno + 1))
    kept = (line for number, line in enumerate(text.splitlines(), 1) if number not in skipped)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in kept)


def _rows(file: Path) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in map(json.loads, file.read_text().splitlines())}


def _scores(rows: Rows, name: str) -> str:
    row = next((row for key, row in rows.items() if key.split("/")[1] == name), None)
    if row is None:
        return _MISSING
    values = [row["frechet"], row["coverage"], row["accuracy"]]
    return " / ".join(f"{value:.2f}" for value in values if value is not None)


def _ring(rows: Rows, name: str) -> str:
    if name == "table":
        names = list(dict.fromkeys(key.rsplit("/", 1)[0] for key in rows))
        head = ["| method | modes hit; share near, per seed | steps | CPU s per seed |", "|---|---|---|---|"]
        return "\n".join([*head, *(_ring_line(rows, n) for n in names)])
    return "; ".join(f"{row['modes_hit']}, {row['share_near']:.2f}" for row in _seeds(rows, name)) or _MISSING


def _ring_line(rows: Rows, name: str) -> str:
    mine = _seeds(rows, name)
    seconds = sum(row["cpu_seconds"] for row in mine) / len(mine)
    return f"| {name} | {_ring(rows, name)} | {mine[0]['n_steps']} | {seconds:.0f} |"


def _seeds(rows: Rows, name: str) -> list[dict[str, Any]]:
    return [row for key, row in rows.items() if key.rsplit("/", 1)[0] == name]


def _figure(value: Any, digits: int = 3) -> str:
    return _MISSING if value is None else f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _table(rows: Rows, columns: Mapping[str, str]) -> str:
    if not rows:
        return _MISSING.capitalize() + "."
    lines = ["| | " + " | ".join([*columns.values(), "CPU s"]) + " |", "|---" * (len(columns) + 2) + "|"]
    for key, row in rows.items():
        cells = [row.get(column) for column in [*columns, "cpu_seconds"]]
        lines.append(f"| {_short(key)} | " + " | ".join("" if cell is None else _figure(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _short(key: str) -> str:
    """A grid cell's variant, else its recipe; other keys as they are."""
    parts = key.split("/")
    return key if len(parts) < 4 else parts[4] if len(parts) == 5 else parts[1]


def _picture(source: Path, pictures: Path) -> str:
    """The picture of a run made here, else the one that the page has already: results keep no second copy."""
    if source.is_file():
        shutil.copy(source, pictures / source.name)
    elif not (pictures / source.name).is_file():
        return ""
    return f"![{in_words(source.stem)}]({pictures.name}/{source.name})"


def in_words(stem: str) -> str:
    """What a picture of this name shows, for those who do not see it."""
    if stem in _SHOWN:
        return _SHOWN[stem]
    what, _, rest = stem.partition("-")
    things = {
        "digits": "handwritten digits, 8 x 8",
        "mnist": "handwritten digits, 28 x 28",
        "fashion": "items of clothing, 28 x 28",
    }
    name = re.sub(r"-(labels|plain)?-?\d+$", "", rest).removesuffix("-labels").removesuffix("-plain")
    if what == "rare":
        return f"Images of a rare class made by {name.replace('-', ' ')}, beside real ones"
    if what not in things:
        return f"Images made by {stem.replace('-', ' ')}"
    return f"{'Real' if name == 'real' else 'Made'} {things[what]}{'' if name == 'real' else f', by {name}'}"


def _gallery(rows: Rows, source: Path, pictures: Path) -> str:
    cells = []
    for name in _GALLERY:
        key = next((key for key in rows if key.split("/")[1] == name), None)
        if key is not None:
            picture = _picture(source / (key.replace("/", "-") + ".png"), pictures)
            cells.append((f"**{name}** {_scores(rows, name)}, {rows[key]['cpu_seconds']:.0f} s", picture))
    cells += [("", "")] * (-len(cells) % 4)
    lines = []
    for start in range(0, len(cells), 4):
        for part in range(2):
            lines.append("| " + " | ".join(cell[part] for cell in cells[start : start + 4]) + " |")
        if start == 0:
            lines.insert(1, "|---|---|---|---|")
    return "\n".join(lines)
