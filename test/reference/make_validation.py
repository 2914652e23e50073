"""Makes test/fixtures/stats/multiple-testing.json with SciPy.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_validation.py

Benjamini-Hochberg from scipy.stats.false_discovery_control, Wilson's interval from scipy.stats.binomtest, exact p-values
of the within-item tests by going through every arrangement.
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy import stats

OUT = Path(__file__).parent.parent / "fixtures" / "stats"
OUT.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(20260303)


def benjamini_hochberg():
    cases = {
        "mixed": np.concatenate([rng.uniform(size=30), rng.beta(0.2, 8, size=10)]),
        "ties": np.round(rng.uniform(size=25), 1),
        "permutation p-values": (1 + rng.integers(0, 40, size=30)) / 1001,
        "one": np.array([0.03]),
        "all ones": np.ones(5),
    }
    return [
        {"name": name, "p": p.tolist(), "q": stats.false_discovery_control(p, method="bh").tolist()}
        for name, p in cases.items()
    ]


def wilson():
    cases = [(0, 10), (10, 10), (3, 10), (7, 200), (51, 51), (1, 1)]
    rows = []
    for k, n in cases:
        interval = stats.binomtest(k, n).proportion_ci(method="wilson")
        rows.append({"k": k, "n": n, "low": interval.low, "high": interval.high})
    return rows


def exact_p(x):
    """x [item, language]: share of all arrangements whose Σ_k (Σ_i x)² is at least the observed."""
    items, languages = x.shape
    orders = list(itertools.permutations(range(languages)))
    observed = (x.sum(0) ** 2).sum()
    values = [
        (sum(x[i][list(order)] for i, order in enumerate(choice)) ** 2).sum()
        for choice in itertools.product(orders, repeat=items)
    ]
    return float(np.mean(np.array(values) >= observed * (1 - 1e-12)))


def exact_sign_flip_p(x):
    """The same, over all patterns of signs of the items' deviations from their own mean."""
    d = x - x.mean(1, keepdims=True)
    observed = (d.sum(0) ** 2).sum()
    signs = np.array(list(itertools.product([1, -1], repeat=len(x))))
    return float(np.mean(((signs @ d) ** 2).sum(1) >= observed * (1 - 1e-12)))


def permutation():
    items, languages, units = 5, 3, 6
    x = rng.normal(size=(items, languages, units)) + 2 * rng.normal(size=(items, 1, units))
    x[:, 1, 3] += 1.0
    x[:, 2, 4] += 2.0
    x[:, 0, 5] -= 0.7
    return {
        "items": items,
        "languages": languages,
        "units": units,
        "values": x.ravel().tolist(),
        "p": [exact_p(x[:, :, u]) for u in range(units)],
        "signFlip": [exact_sign_flip_p(x[:, :, u]) for u in range(units)],
    }


fixture = {"benjaminiHochberg": benjamini_hochberg(), "wilson": wilson(), "withinItemPermutation": permutation()}
(OUT / "multiple-testing.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
