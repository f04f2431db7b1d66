"""
What looks wrong in this table?
===============================

Before anything is imputed, `tabgan.check` says in a second what each column is taken for, and what may have been meant
otherwise: here -999 for a missing age, one label in three spellings, a column that names rows, and codes that look like
amounts. The picture shows where cells are missing.
"""

import numpy as np
import pandas as pd

import tabgan

rng = np.random.default_rng(0)
age = rng.integers(18, 90, 300)
table = pd.DataFrame(
    {
        "customer_id": np.arange(300),
        "age": np.where(rng.random(300) < 0.1, -999, age),
        "sex": rng.choice(["Male", "MALE", "male ", "Female"], 300, p=[0.4, 0.05, 0.05, 0.5]),
        "income": np.where(rng.random(300) < 0.2, np.nan, 20 + 0.5 * age + rng.normal(size=300)).round(2),
        "debts": np.where(rng.random(300) < 0.3, np.nan, rng.integers(1, 4, 300)),
    }
)

found = tabgan.check(table)
for finding in found.findings:
    print(finding.text())

# %%
# ``print(found)`` says all of it, and ``found.to_html().save("check.html")`` makes a page.

found.plot()
