"""The report's script, run by Node.js on a stand-in for the page: what it sorts, and where the unknown goes."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest

PAGE = """
const row = (values) => ({ cells: values.map((value) => ({ dataset: { sort: value } })), values });
const head = (text, number) => ({
  textContent: text, attributes: {}, classList: { contains: () => number },
  append(button) { this.button = button; },
  setAttribute(name, value) { this.attributes[name] = value; },
  getAttribute(name) { return this.attributes[name]; },
});
const heads = [head("Column", false), head("Gaps", true)];
const body = { rows: ROWS.map(row), append(...rows) { this.rows = rows; } };
const table = { tHead: { rows: [{ cells: heads }] }, tBodies: [body] };
const heard = {}, details = [{ open: false }, { open: false }];
globalThis.addEventListener = (event, run) => { heard[event] = run; };
globalThis.document = {
  querySelectorAll: (wanted) => wanted.startsWith("details") ? details : [table],
  createElement: () => ({ addEventListener(event, run) { this[event] = run; } }),
};
SCRIPT
const seen = [];
for (const column of [1, 1, 0, 0]) {
  heads[column].button.click();
  seen.push([heads.map((one) => one.attributes["aria-sort"]), body.rows.map((one) => one.values[column])]);
}
const folds = ["beforeprint", "afterprint"].map((event) => { heard[event](); return details.map((one) => one.open); });
console.log(JSON.stringify({ folds, seen, text: heads.map((one) => one.button.textContent) }));
"""


def test_numbers_sort_as_numbers_words_as_words_and_unknown_stays_last():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js installed; Debian: apt-get install nodejs")
    script = (files("tabgan.report") / "assets" / "report.js").read_text(encoding="utf-8")
    rows = [["b10", "9.0"], ["a", ""], ["b9", "10.0"], ["", "-1.5"]]
    program = PAGE.replace("ROWS", json.dumps(rows)).replace("SCRIPT", script)
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert found["folds"] == [[True, True], [False, False]]
    assert found["text"] == ["Column", "Gaps"]
    assert found["seen"] == [
        [["none", "ascending"], ["-1.5", "9.0", "10.0", ""]],
        [["none", "descending"], ["10.0", "9.0", "-1.5", ""]],
        [["ascending", "none"], ["a", "b9", "b10", ""]],
        [["descending", "none"], ["b10", "b9", "a", ""]],
    ]
