"""Writes test/fixtures/stats/trends.json: Mann-Kendall tests of short series, and tails of the normal distribution.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_trends.py

S, tau-b and exact p-values by SciPy's kendalltau, p-values with ties by pymannkendall's original_test (1.4.3).
"""

import json
import pathlib

import numpy as np
import pymannkendall
import scipy
from scipy import stats

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "stats" / "trends.json"


def series():
    rng = np.random.default_rng(11)
    drawn = [np.arange(n) * slope + rng.normal(size=n) for n in (4, 5, 7, 12, 30, 50) for slope in (0.0, 0.4)]
    tied = [np.round(np.arange(n) * 0.3 + rng.normal(size=n)) for n in (5, 8, 15, 40)]
    for values in [*drawn, *tied, np.arange(60) * 0.02 + rng.normal(size=60)]:
        test = pymannkendall.original_test(values)
        exact = len(set(values)) == len(values) and len(values) <= 50
        tau = stats.kendalltau(np.arange(len(values)), values, method="exact" if exact else "asymptotic")
        yield {
            "values": values.tolist(),
            "s": float(test.s),
            "tau": float(tau.statistic),
            "exactP": float(tau.pvalue) if exact else None,
            "normalP": float(test.p),
        }


if __name__ == "__main__":
    normal = [[z, float(stats.norm.sf(z))] for z in (0.0, 0.3, 1.0, 1.96, 2.4999, 2.5, 3.7, 6.0, 12.0)]
    OUT.write_text(json.dumps({"scipy": scipy.__version__, "series": list(series()), "normal": normal}) + "\n")
