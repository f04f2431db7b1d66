"""What rounding alone may change.

Two runs of one computation on one machine agree to the bit. A row in another place of its batch, in a batch of another size or
order, on another number of threads or another processor meets kernels that add up in another order, and comes out with other last
bits. Tests that compare such results allow for that much; what they are about changes results at least ten times as far.
"""

SINGLE = 1e-4
"""Absolute, for outputs of order 1 of a network in single precision: a thousand units in the last place."""

DOUBLE = 1e-9
"""Absolute, for numbers of order 1 worked out in double precision: what a matrix of condition number a million leaves of it."""
