"""Makes test/fixtures/stats/inference.json: tests, intervals and sample sizes by SciPy and statsmodels.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_inference.py

Holm by statsmodels' multipletests; Welch's t with its interval and exact permutation tests by SciPy; two one-sided tests by
statsmodels' ttost_ind; the noncentral F and power of t by SciPy's ncf and nct; sample sizes by statsmodels' TTestPower; CR2 with
its degrees of freedom by matrices, from the definition; the wild cluster bootstrap by counting out all patterns of signs.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

FIXTURES = Path(__file__).parent.parent / "fixtures"
RNG = np.random.default_rng(20261128)


def holm():
    cases = [RNG.uniform(0, 1, 12), RNG.uniform(0, 0.05, 7), [0.01, 0.01, 0.04, 0.04, 0.5], [0.03]]
    return [{"p": list(map(float, p)), "adjusted": multipletests(p, method="holm")[1].tolist()} for p in cases]


def welch():
    cases = []
    for n, m, spread in [(3, 3, 1), (5, 4, 3), (2, 6, 0.2), (12, 9, 1)]:
        a, b = RNG.normal(0, 1, n), RNG.normal(0.8, spread, m)
        test = stats.ttest_ind(b, a, equal_var=False)
        interval = test.confidence_interval(0.95)
        row = {
            "first": a.tolist(),
            "second": b.tolist(),
            "df": float(test.df),
            "p": float(test.pvalue),
            "low": float(interval.low),
            "high": float(interval.high),
        }
        if n + m <= 12:
            exact = stats.permutation_test(
                (b, a), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis), vectorized=True, n_resamples=np.inf
            )
            # SciPy doubles the smaller tail; sides of one size make that the share of |difference|.
            row["permutation"] = float(exact.pvalue) if n == m else None
            values = np.concatenate([a, b])
            own = abs(b.mean() - a.mean())
            differences = []
            for chosen in itertools.combinations(range(n + m), n):
                rest = [i for i in range(n + m) if i not in chosen]
                differences.append(abs(values[rest].mean() - values[list(chosen)].mean()))
            row["allWays"] = float(np.mean(np.array(differences) >= own - 1e-12))
        cases.append(row)
    # Against a value that is known, and with another source of variance besides.
    b = RNG.normal(0.5, 1, 5)
    one = stats.ttest_1samp(b, 0.1)
    fixed = {"first": 0.1, "second": b.tolist(), "p": float(one.pvalue), "df": float(one.df)}
    return cases, fixed


def equivalence():
    cases = []
    for margin in [0.2, 0.5, 1.0, 2.0]:
        a, b = RNG.normal(0, 1, 20), RNG.normal(0.1, 1.3, 25)
        compared = CompareMeans(DescrStatsW(b), DescrStatsW(a))
        p, *_ = compared.ttost_ind(-margin, margin, usevar="unequal")
        value = b.mean() - a.mean()
        cases.append(
            {
                "value": float(value),
                "se": float(compared.std_meandiff_separatevar),
                "df": float(compared.dof_satt()),
                "margin": margin,
                "p": float(p),
            }
        )
    return cases


def noncentral_f():
    return [
        {"f": f, "df1": d1, "df2": d2, "lambda": lam, "upper": float(stats.ncf.sf(f, d1, d2, lam) if lam else stats.f.sf(f, d1, d2))}
        for d1, d2 in [(1, 19), (5, 1495), (3, 40), (7, 10.5)]
        for lam in [0, 0.3, 4, 60, 900]
        for f in [0.1, 1, 3, 20, 200]
    ]


def power():
    rows = []
    for df in [4, 19, 200]:
        for shift in [0, 0.5, 2, 3, 5]:
            t = stats.t.isf(0.025, df)
            rows.append({"df": df, "shift": shift, "power": float(stats.nct.sf(t, df, shift) + stats.nct.cdf(-t, df, shift))})
    sizes = []
    for effect, wanted in [(0.2, 0.8), (0.5, 0.9), (1.0, 0.8), (0.05, 0.8)]:
        n = TTestPower().solve_power(effect_size=effect, power=wanted, alpha=0.05)
        sizes.append({"effect": effect, "power": wanted, "n": float(n)})
    return rows, sizes


def cr2(values, cluster):
    """Bell & McCaffrey (2002) for a mean, by matrices."""
    n = len(values)
    x = np.ones((n, 1))
    hat = np.full((n, n), 1 / n)
    residual = values - values.mean()
    variance = 0.0
    columns = []
    for g in np.unique(cluster):
        own = np.flatnonzero(cluster == g)
        block = np.eye(len(own)) - hat[np.ix_(own, own)]
        vectors = np.linalg.eigh(block)
        root = vectors.eigenvectors @ np.diag(vectors.eigenvalues**-0.5) @ vectors.eigenvectors.T
        lifted = root @ x[own] / n
        variance += float(lifted[:, 0] @ residual[own]) ** 2
        columns.append((np.eye(n) - hat)[own].T @ lifted[:, 0])
    g = np.array(columns)
    inner = g @ g.T
    return variance, float(np.trace(inner) ** 2 / (inner**2).sum())


def clusters():
    cases = []
    for sizes in [[4, 4, 4, 4, 4], [1, 2, 3, 8, 20], [5, 7, 2, 9, 4, 6, 3, 3]]:
        cluster = np.repeat(np.arange(len(sizes)), sizes)
        values = RNG.normal(0.4, 1, len(cluster)) + RNG.normal(0, 0.7, len(sizes))[cluster]
        variance, df = cr2(values, cluster)
        # All patterns of signs, the null of 0 imposed.
        sums = np.array([values[cluster == g].sum() for g in range(len(sizes))])
        counts = np.array(sizes)
        def t(of):
            mean = of.sum() / counts.sum()
            error = (((of - counts * mean) ** 2) / (1 - counts / counts.sum())).sum() / counts.sum() ** 2
            return abs(mean) / np.sqrt(error)
        own = t(sums)
        wild = [t(sums * np.array(signs)) for signs in itertools.product([-1, 1], repeat=len(sizes))]
        cases.append(
            {
                "values": values.tolist(),
                "cluster": cluster.tolist(),
                "mean": float(values.mean()),
                "se": float(np.sqrt(variance)),
                "df": df,
                "wild": float(np.mean(np.array(wild) >= own * (1 - 1e-12))),
            }
        )
    return cases


def minimum_effect():
    """p-values that ω² exceeds a bound, one at a time, by SciPy's ncf."""
    rows = []
    for items, languages, shift in [(40, 6, 0.0), (40, 6, 0.25), (12, 3, 1.0), (60, 4, 0.6)]:
        x = RNG.normal(0, 1, (items, languages)) + RNG.normal(0, 1.5, (items, 1))
        x[:, 0] += shift
        grand = x.mean()
        total = ((x - grand) ** 2).sum()
        language = items * ((x.mean(0) - grand) ** 2).sum()
        item = languages * ((x.mean(1) - grand) ** 2).sum()
        rest = total - language - item
        df1, df2 = languages - 1, (items - 1) * (languages - 1)
        mean_rest = rest / df2
        f = language / df1 / mean_rest
        share = 1 + max(0, item / (items - 1) / mean_rest - 1) / languages
        for smallest in [0, 0.01, 0.06]:
            lam = items * languages * smallest / (1 - smallest) * share
            p = stats.ncf.sf(f, df1, df2, lam) if lam else stats.f.sf(f, df1, df2)
            rows.append({"items": items, "languages": languages, "total": total, "language": language, "item": item, "smallest": smallest, "p": float(p)})
    return rows


def soft_count():
    values, se = RNG.normal(1.5, 0.2, 40), RNG.uniform(0.01, 0.2, 40)
    return {"values": values.tolist(), "se": se.tolist(), "cut": 1.4, "count": float(stats.norm.cdf((1.4 - values) / se).sum())}


def main():
    welch_cases, fixed = welch()
    power_rows, sizes = power()
    answers = {
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "holm": holm(),
        "welch": welch_cases,
        "fixedFirst": fixed,
        "equivalence": equivalence(),
        "noncentralF": noncentral_f(),
        "power": power_rows,
        "sampleSize": sizes,
        "clusters": clusters(),
        "minimumEffect": minimum_effect(),
        "softCount": soft_count(),
    }
    (FIXTURES / "stats" / "inference.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")


main()
