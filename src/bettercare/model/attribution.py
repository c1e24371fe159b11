"""Attribution that adds up: the logarithmic mean Divisia index (additive form).

A quantity that is a start times a product of factors changes by ``end - start``. Factor *i* is given
``L(end, start) x ln(factor_i)`` with ``L(a, b) = (a - b) / (ln a - ln b)``, so the parts add to the change exactly and do not depend on
the order of the factors. Source: B. W. Ang, "Decomposition analysis for policymaking in energy", Energy Policy 32 (2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-12
"""The least that may remain of anything, as a share: a logarithm of nothing has no value."""


def log_mean(end: Array, start: Array) -> Array:
    """``(end - start) / ln(end / start)``, and ``start`` where they are equal. Both positive; shapes broadcast.

    >>> float(log_mean(np.array(1.0), np.array(1.0)))
    1.0
    """
    ratio = np.log(end / start)
    with np.errstate(divide="ignore", invalid="ignore"):
        # expm1 keeps the quotient accurate where end and start nearly agree
        mean = np.where(np.abs(ratio) < 1e-300, start, start * np.expm1(ratio) / np.where(ratio == 0, 1.0, ratio))
    return np.asarray(mean)


def contributions(start: Array, log_factors: Array) -> Array:
    """The part of the change each factor is given.

    Args:
        start: quantity before, shape (...). Zero gives zero parts.
        log_factors: natural logarithms of the factors, shape (factor, ...).

    Returns:
        shape (factor, ...); sums over factors to ``start * (exp(sum(log_factors)) - 1)``.
    """
    total = log_factors.sum(axis=0)
    safe = np.where(np.abs(total) < 1e-300, 1.0, total)
    mean = np.where(np.abs(total) < 1e-300, start, start * np.expm1(total) / safe)
    return np.asarray(mean * log_factors)
