"""Stored model files of every format version, what they give, and the layout of the current version."""
