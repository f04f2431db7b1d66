"""What starts Spark's Python workers (``spark.python.daemon.module``), with tabgan imported before it forks.

Without it each worker imports tabgan when its first block comes, and again after every kill: three seconds of a core.
"""

from pyspark.daemon import manager

import tabgan.imputation.gain  # noqa: F401

if __name__ == "__main__":
    manager()
