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
    return _mean(start, np.log(end / start))


def _mean(start: Array, log_ratio: Array) -> Array:
    """The logarithmic mean of a start and of ``start * exp(log_ratio)``; expm1 keeps it accurate where they nearly agree."""
    same = np.abs(log_ratio) < 1e-300
    return np.asarray(np.where(same, start, start * np.expm1(log_ratio) / np.where(same, 1.0, log_ratio)))


def contributions(start: Array, log_factors: Array) -> Array:
    """The part of the change each factor is given.

    Args:
        start: quantity before, shape (...). Zero gives zero parts.
        log_factors: natural logarithms of the factors, shape (factor, ...).

    Returns:
        shape (factor, ...); sums over factors to ``start * (exp(sum(log_factors)) - 1)``.
    """
    return np.asarray(_mean(start, log_factors.sum(axis=0)) * log_factors)
