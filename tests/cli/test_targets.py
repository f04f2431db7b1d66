"""Target columns of `tabgan balance` that are no classes, or classes of one row."""

import numpy as np
import pandas as pd


def test_targets_that_are_no_classes(tabgan, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("a,y,z,u\n" + "".join(f"{k},{k}.5,,same\n" for k in range(9)))
    for target, message in (
        ("y", "fractions such as 0.5"),
        ("z", "in line 2, line 3, line 4, line 5, line 6 and 4 more"),
        ("u", "single class 'same'"),
    ):
        result = tabgan("balance", source, "-t", target, "-o", out)
        assert result.exit_code == 2
        assert message in result.stderr
    assert not out.exists()
    assert tabgan("balance", source, "-t", "y", "--categorical", "y", "-o", out).exit_code == 0


def test_classes_of_one_row_are_refused_or_explained(tabgan, tmp_path):
    frame = pd.DataFrame({"x": np.arange(160.0), "y": [f"name {k}" for k in range(160)]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = tabgan("balance", tmp_path / "t.csv", "-t", "y", "-o", tmp_path / "o.csv")
    assert done.exit_code == 2
    assert "160 classes of one row each" in done.stderr
    assert not (tmp_path / "o.csv").exists()
    frame["y"] = ["a"] * 80 + ["b"] * 77 + ["c", "d", "e"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = tabgan(
        "balance", tmp_path / "t.csv", "-t", "y", "-o", tmp_path / "o.csv", "--steps", 1, "--strategy", '{"b": 78}'
    )
    assert done.exit_code == 0, done.output
    assert "3 of the 5 classes of column 'y' have a single row" in done.stderr
