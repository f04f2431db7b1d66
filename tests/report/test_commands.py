"""``--report FILE.html`` of the commands."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tabgan.cli.main import app

pytest.importorskip("matplotlib").use("Agg")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=60).round(2)
    frame = pd.DataFrame(
        {"<script>x</script>": x, "y": (3 * x + 1).round(1), "class": np.where(x > 0.9, "rare", "often")}
    )
    frame.loc[:9, "y"] = None
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def test_impute_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("impute", table, "-o", tmp_path / "full.csv", "--steps", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert 'class="plot wide"' in text


def test_impute_without_gaps_still_reports(table, tmp_path):
    full = tmp_path / "none.csv"
    pd.read_csv(table).dropna().to_csv(full, index=False)
    result = run("impute", full, "-o", tmp_path / "out.csv", "--report", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    assert "has no missing values" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_balance_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("balance", table, "-t", "class", "-o", tmp_path / "more.csv", "--steps", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Resampling report" in text
    assert "rare" in text
    assert len(pd.read_csv(tmp_path / "more.csv")) > 60


def test_compare_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("compare", table, "--methods", "mean/mode,kNN", "--repeats", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Comparison of imputers" in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert 'class="plot wide"' in text


@pytest.mark.parametrize(
    ("report", "said"), [("report.txt", "must end in .html"), ("table.csv", "must end in .html"), ("no/r.html", "no")]
)
def test_compare_refuses_bad_report_paths_before_any_work(table, tmp_path, report, said):
    before = table.read_bytes()
    result = run("compare", table, "--report", tmp_path / report)
    assert result.exit_code == 2
    assert said in result.output
    assert table.read_bytes() == before


def test_compare_refuses_one_file_for_both(table, tmp_path):
    (tmp_path / "in.html").write_bytes(table.read_bytes())
    result = run("compare", tmp_path / "in.html", "--format", "csv", "--report", tmp_path / "in.html")
    assert result.exit_code == 2
    assert "--report" in result.output


@pytest.fixture
def model(table, tmp_path):
    """A sampler of the table, one class named by a script."""
    frame = pd.read_csv(table)
    frame["class"] = frame["class"].replace("rare", "<script>rare</script>")
    frame.to_csv(table, index=False)
    path = tmp_path / "rows.tabgan"
    result = run("balance", table, "-t", "class", "-o", tmp_path / "more.csv", "--steps", 1, "--model", path, "-q")
    assert result.exit_code == 0, result.output
    return path


def test_sample_writes_html(model, tmp_path):
    page, rows = tmp_path / "rows.html", tmp_path / "rows.csv"
    result = run("sample", model, "-n", 30, "-o", rows, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Report on synthetic rows" in text
    for name in ("x", "rare"):
        assert f"&lt;script&gt;{name}&lt;/script&gt;" in text
        assert f"<script>{name}" not in text
    assert 'class="plot wide"' in text
    run("sample", model, "-n", 30, "-o", tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_bytes() == rows.read_bytes()  # looking changes nothing


def test_sample_says_what_rows_were_asked_to_have(model, tmp_path):
    page = tmp_path / "rows.html"
    result = run("sample", model, "-n", 12, "-o", tmp_path / "r.csv", "--where", "y=2.5", "--seed", 7, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "asked to have y = 2.5" in text
    assert "<dt>Seed</dt><dd>7</dd>" in text


def test_demo_writes_html(tmp_path):
    pytest.importorskip("palmerpenguins")
    page = tmp_path / "demo.html"
    result = run("demo", "--steps", 2, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert text.index("Beside the usual ways</h2>") < text.index("Column by column</h2>")
    assert '<th scope="row" data-sort="MICE">MICE</th>' in text


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype=np.uint8))
    names = ["<script>cat</script>", "dog"] * 12
    (tmp_path / "labels.txt").write_text("\n".join(names))
    return ["--labels", "labels.txt", "--settings", '{"width": 8}', "--steps", 2, "-q", "--device", "cpu"]


def test_images_write_html(images, tmp_path):
    result = run("images", "train", "images.npy", "-o", "m.tabgan", *images, "--report", "train.html")
    assert result.exit_code == 0, result.output
    for command in (["sample", "-o", "made.npy"], ["grid", "-o", "made.png"]):
        result = run("images", command[0], "m.tabgan", *command[1:], "-n", 12, "--report", f"{command[0]}.html")
        assert result.exit_code == 0, result.output
    for name in ("train", "sample", "grid"):
        text = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "Image report" in text
        assert "&lt;script&gt;cat&lt;/script&gt;" in text
        assert "<script>cat" not in text
        # Real images are at hand in training only.
        assert text.count('<img class="photo" src="data:image/png;base64,') == (3 if name == "train" else 2)
    assert "Drawn against training images" in (tmp_path / "train.html").read_text(encoding="utf-8")


def commands(folder):
    """Every command that makes something, with its report's name left open."""
    np.save(folder / "images.npy", np.zeros((20, 8, 8), dtype=np.uint8))
    return {
        "impute": ["impute", folder / "table.csv", "-o", folder / "out.csv"],
        "compare": ["compare", folder / "table.csv", "-o", folder / "out.json"],
        "balance": ["balance", folder / "table.csv", "-t", "class", "-o", folder / "out.csv"],
        "sample": ["sample", folder / "m.tabgan", "-n", 3, "-o", folder / "out.csv"],
        "images train": ["images", "train", folder / "images.npy", "-o", folder / "out.tabgan"],
        "images sample": ["images", "sample", folder / "m.tabgan", "-o", folder / "out.npy"],
        "images grid": ["images", "grid", folder / "m.tabgan", "-o", folder / "out.png"],
        "demo": ["demo"],
    }


COMMANDS = ["impute", "compare", "balance", "sample", "images train", "images sample", "images grid", "demo"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("report", "said"), [("report.pdf", ".html"), ("no/report.html", "does not exist")])
def test_every_command_refuses_a_bad_report_before_any_work(table, tmp_path, command, report, said):
    result = run(*commands(tmp_path)[command], "--report", tmp_path / report)
    assert result.exit_code == 2
    assert "--report" in result.output
    assert said in result.output
    assert not list(tmp_path.glob("out.*"))


@pytest.mark.parametrize("command", ["sample", "images sample", "images grid"])
def test_a_model_is_never_replaced_by_a_report(tmp_path, command):
    (tmp_path / "m.html").write_text("precious")
    words = [tmp_path / "m.html" if word == tmp_path / "m.tabgan" else word for word in commands(tmp_path)[command]]
    result = run(*words, "--report", tmp_path / "m.html")
    assert result.exit_code == 2
    assert (tmp_path / "m.html").read_text() == "precious"


def test_a_report_that_cannot_be_made_leaves_the_old_files(model, tmp_path, monkeypatch):
    import tabgan.report.rows_page

    def broken(*arguments, **options):
        raise RuntimeError("no picture today")

    monkeypatch.setattr(tabgan.report.rows_page, "picture_of", broken)
    (tmp_path / "rows.csv").write_text("old")
    (tmp_path / "rows.html").write_text("old")
    before = sorted(path.name for path in tmp_path.iterdir())
    result = run("sample", model, "-n", 5, "-o", tmp_path / "rows.csv", "--report", tmp_path / "rows.html")
    assert result.exit_code == 1
    assert (tmp_path / "rows.csv").read_text() == (tmp_path / "rows.html").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_model_outlives_a_report_that_cannot_be_made(images, tmp_path, monkeypatch):
    import tabgan.report.images_page

    def broken(*arguments, **options):
        raise RuntimeError("no picture today")

    monkeypatch.setattr(tabgan.report.images_page, "picture_of", broken)
    result = run("images", "train", "images.npy", "-o", "m.tabgan", *images, "--report", "train.html")
    assert result.exit_code == 1
    assert (tmp_path / "m.tabgan").exists()
    assert not (tmp_path / "train.html").exists()
    assert run("images", "sample", "m.tabgan", "-o", "made.npy", "-n", 2).exit_code == 0


def test_pages_name_the_file_and_the_command_to_run_next(table, tmp_path):
    page = tmp_path / "report.html"
    frame = pd.read_csv(table)
    frame["noise"] = [f"n{k % 23}" for k in range(60)]
    frame.loc[::5, "noise"] = None
    frame.to_csv(table, index=False)
    done = run("impute", table, "-o", tmp_path / "full.csv", "--effort", "fast", "--missing", "?", "--report", page)
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "<title>table.csv - Imputation report - " in text
    assert f"tabgan impute {table} -o {tmp_path / 'full.csv'} --leave noise --missing" in text
    assert f"tabgan compare {table} --report ranking.html" in text
    done = run(
        "compare", table, "--methods", "mean/mode,GAINImputer", "--repeats", 1, "--max-time", 5, "--report", page
    )
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "<title>table.csv - Comparison of imputers - " in text
    assert f"tabgan compare {table} --repeats 5" in text
    done = run(
        "balance", table, "-t", "class", "-o", tmp_path / "m.csv", "--steps", 1, "--leave", "noise", "--report", page
    )
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "<title>table.csv - Resampling report - " in text
    assert f"tabgan balance {table} --target class" in text
