"""What worker processes need in any case, imported once in the process that they are forked from."""

import tabgan.imputation.gain  # noqa: F401
