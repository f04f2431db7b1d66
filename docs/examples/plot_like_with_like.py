"""
Are imputed values right where values are missing?
==================================================

Heavy species lose their body mass more often here, so imputed birds are heavier than observed ones. That is no fault:
among birds that are as likely to miss the value, given all else, imputed and observed values lie on one line (first
picture) and have one distribution (second picture).
"""

import numpy as np
from palmerpenguins import load_penguins

from tabgan import GAINImputer
from tabgan.plotting import ConditionalImputationDisplay, PropensityDisplay

penguins = load_penguins().dropna().reset_index(drop=True)
rng = np.random.default_rng(0)
long_flipper = penguins["flipper_length_mm"].rank(pct=True)
gappy = penguins.assign(
    body_mass_g=penguins["body_mass_g"].mask(rng.random(len(penguins)) < 0.7 * long_flipper),
    bill_length_mm=penguins["bill_length_mm"].mask(rng.random(len(penguins)) < 0.6 * (penguins["species"] == "Adelie")),
)
imputer = GAINImputer(random_state=0).fit(gappy)

PropensityDisplay.from_estimator(imputer, gappy, random_state=0)

# %%
ConditionalImputationDisplay.from_estimator(imputer, gappy, random_state=0)
