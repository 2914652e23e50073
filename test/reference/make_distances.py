"""Makes test/fixtures/stats/distances.json: SciPy's noncentral chi-square, as standard normal deviates of its quantiles, and
the intervals of theta >= 0 that follow from it without any approximation of its distribution.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_distances.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import optimize, stats

OUT = Path(__file__).parent.parent / "fixtures" / "stats" / "distances.json"
FREEDOM = [1, 3, 7, 24]
GROUPS = 20


def deviate(value, theta, freedom):
    """Of the tail that is small, so that nothing is lost next to 1."""
    below = stats.ncx2.cdf(value, freedom, theta) if theta > 0 else stats.chi2.cdf(value, freedom)
    above = stats.ncx2.sf(value, freedom, theta) if theta > 0 else stats.chi2.sf(value, freedom)
    return stats.norm.ppf(below) if below < above else stats.norm.isf(above)


def interval(value, freedom):
    share = lambda theta: 2 * theta / (freedom + 2 * theta)
    above = lambda theta: deviate(value, theta, freedom) - stats.t.ppf(1 - 0.05 * (1 - share(theta) / 2), GROUPS - 1)
    below = lambda theta: deviate(value, theta, freedom) + stats.t.ppf(1 - 0.025 * share(theta), GROUPS - 1)
    low = optimize.brentq(above, 1e-9, value) if above(1e-9) > 0 else 0
    return low, optimize.brentq(below, 1e-9, 10 * (value + freedom))


def main():
    quantiles = [
        [freedom, theta, float(value), float(deviate(value, theta, freedom))]
        for freedom in FREEDOM
        for theta in (0.5, 2, 8, 32, 128)
        for value in stats.ncx2.ppf([0.01, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.99], freedom, theta)
    ]
    ends = [
        [freedom, value * freedom, *interval(value * freedom, freedom)]
        for freedom in FREEDOM
        for value in (0.3, 1, 2, 5, 20)
    ]
    OUT.write_text(json.dumps({"groups": GROUPS, "quantiles": quantiles, "ends": ends}) + "\n")


if __name__ == "__main__":
    main()
