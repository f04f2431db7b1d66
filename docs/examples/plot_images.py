"""
What does an image GAN draw?
============================

A class-conditional WGAN-GP on the 8 x 8 digits, after a short training: a row per class.
"""

from sklearn.datasets import load_digits

from tabgan.images import ImageGAN
from tabgan.plotting import ImageGridDisplay

digits = load_digits()
gan = ImageGAN("wgan-gp", n_steps=300, random_state=0).fit(digits.images / 16, digits.target)

ImageGridDisplay.from_estimator(gan, n_per_class=10)

# %%
# Walks from one random latent code to another: smooth changes speak against learning by heart.

ImageGridDisplay.from_walk(gan, n_walks=4, y=[0, 3, 6, 8])
