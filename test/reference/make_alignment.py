"""Writes test/fixtures/alignment/: pooled residual streams of five small runs, and what alignment of their languages must be.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_alignment.py

Cosines are scikit-learn's cosine_similarity in float64, MEXA a literal reading of Kargaran et al. (Findings of ACL 2025): the share
of items whose cosine strictly exceeds all others of its row and of its column. Cosines are rounded to 12 decimals before they are
compared, for BLAS may give equal rows unequal last bits. Trends: S, and p with
ties, by pymannkendall, tau-b and the exact p by SciPy. Nothing of babelscope is used.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pymannkendall
import sklearn
from safetensors.numpy import save_file
from scipy import stats
from sklearn.metrics.pairwise import cosine_similarity

OUT = Path(__file__).resolve().parent.parent / "fixtures" / "alignment"
RUNS = ["base", "tuned", "tuned-2", "rewarded", "rewarded-2"]
TRAJECTORY = ["base", "rewarded-2", "rewarded", "tuned", "tuned-2"]
LAYERS, ITEMS, K, DIMENSION, FOLDS = 2, 26, 4, 24, 6
FOLD_OF = np.arange(ITEMS) % FOLDS
PAIRS = list(itertools.combinations(range(K), 2))
EVERY = list(range(FOLDS))


def make_run(rng, meaning, language, own):
    """[layer, item, language, dimension]: a direction of all, one of each language, what the item means, noise."""
    stream = 2 + language[:, None] + own * meaning[:, :, None] + rng.normal(size=(LAYERS, ITEMS, K, DIMENSION))
    stream *= rng.uniform(0.2, 30, size=(LAYERS, ITEMS, K, 1))
    stream[:, 4, 1] = np.nan  # item 4 lacks language 1
    stream[0, 7, 2] = 0  # no direction
    stream[0, 9, 0] = stream[0, 8, 0]  # items 8 and 9 cannot be told apart in language 0
    stream[1, 12, :] = 4 * stream[1, 11, :]  # nor 11 and 12 anywhere, but for their length
    return stream.astype(np.float32)


def kept(a, b, folds):
    """Items of the folds that both languages have; and of them those with a direction in both."""
    both = [i for i in range(ITEMS) if FOLD_OF[i] in folds and not (np.isnan(a[i]).any() or np.isnan(b[i]).any())]
    return both, [i for i in both if a[i].any() and b[i].any()]


def mexa(cosines):
    n = len(cosines)
    retrieved = 0
    for i in range(n):
        rivals = [cosines[i, j] for j in range(n) if j != i] + [cosines[j, i] for j in range(n) if j != i]
        retrieved += all(cosines[i, i] > rival for rival in rivals)
    return retrieved / n


def align(a, b, folds=EVERY):
    both, items = kept(a, b, folds)
    cosines = np.round(cosine_similarity(a[items].astype(float), b[items].astype(float)), 12)
    same = np.diag(cosines).mean()
    different = cosines[~np.eye(len(items), dtype=bool)].mean()
    return {
        "items": len(items),
        "leftOut": len(both) - len(items),
        "same": same,
        "different": different,
        "margin": same - different,
        "mexa": mexa(cosines),
    }


def jackknife(of, low, high):
    """[value, standard error, low, high] of a delete-one-fold jackknife."""
    value = of(EVERY)
    left = np.array([of([f for f in EVERY if f != g]) for g in EVERY])
    error = np.sqrt((FOLDS - 1) / FOLDS * ((left - left.mean()) ** 2).sum())
    half = stats.t.ppf(0.975, FOLDS - 1) * error
    return [value, error, max(low, value - half), min(high, value + half)]


def pairs_of(layer):
    rows = []
    for p, q in PAIRS:
        a, b = layer[:, p], layer[:, q]
        of = lambda name: lambda folds: align(a, b, folds)[name]
        rows.append({"a": p, "b": q, **align(a, b), "margin": jackknife(of("margin"), -2, 2), "mexa": jackknife(of("mexa"), 0, 1)})
    return rows


def mean_over_pairs(layer, folds, languages):
    aligned = [align(layer[:, p], layer[:, q], folds) for p, q in PAIRS if p in languages and q in languages]
    return [float(np.mean([pair[name] for pair in aligned])) for name in ("margin", "mexa")]


def of_place(means, group, name, layer, measure, folds):
    """Layer None: the mean over layers."""
    at = str(sum(1 << f for f in folds))
    return np.mean([means[group][name][l][at][measure] for l in (range(LAYERS) if layer is None else [layer])])


def places(means):
    return itertools.product(means, (None, *range(LAYERS)), range(2))


def contrast(means, group, layer, measure):
    """(rewarded − base) − (tuned − base), each the mean over its two seeds, with a jackknife that leaves a fold out of all runs."""

    def change(name, folds):
        return of_place(means, group, name, layer, measure, folds) - of_place(means, group, "base", layer, measure, folds)

    def difference(folds):
        mean = lambda names: np.mean([change(name, folds) for name in names])
        return mean(RUNS[3:]) - mean(RUNS[1:3])

    reach = (8, 2)[measure]
    return {
        "changesFrom": [change(name, EVERY) for name in RUNS[1:3]],
        "changesTo": [change(name, EVERY) for name in RUNS[3:]],
        "difference": jackknife(difference, -reach, reach),
    }


def trend(means, group, layer, measure):
    """Over the five runs, taken for checkpoints in the order of TRAJECTORY."""
    values = [round(of_place(means, group, name, layer, measure, EVERY), 12) for name in TRAJECTORY]
    tied = len(set(values)) < len(values)
    normal = pymannkendall.original_test(values)
    tested = stats.kendalltau(np.arange(len(values)), values, method="asymptotic" if tied else "exact")
    return {"s": float(normal.s), "tau": float(tested.statistic), "p": float(normal.p if tied else tested.pvalue)}


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    meaning, language = rng.normal(size=(LAYERS, ITEMS, DIMENSION)), rng.normal(size=(LAYERS, K, DIMENSION))
    runs = {}
    for name, own in zip(RUNS, (1.3, 1.7, 1.75, 1.5, 1.48)):
        runs[name] = make_run(rng, meaning, language, own)
        save_file({f"{l:02d}": runs[name][l] for l in range(LAYERS)}, OUT / f"{name}.safetensors")
    halves = [list(half) for half in itertools.combinations(EVERY, FOLDS // 2)]
    without = [[f for f in EVERY if f != g] for g in EVERY]
    mask = lambda folds: str(sum(1 << f for f in folds))
    means = {
        group: {
            name: [
                {mask(folds): mean_over_pairs(runs[name][l], folds, languages) for folds in (EVERY, *without, *halves)}
                for l in range(LAYERS)
            ]
            for name in RUNS
        }
        for group, languages in (("all", [0, 1, 2, 3]), ("two", [1, 3]))
    }
    answers = {
        "sklearn": sklearn.__version__,
        "layers": LAYERS,
        "items": ITEMS,
        "languages": K,
        "dimension": DIMENSION,
        "folds": FOLDS,
        "foldOf": FOLD_OF.tolist(),
        "pairs": {name: [pairs_of(runs[name][l]) for l in range(LAYERS)] for name in RUNS[:3]},
        # Means over pairs, [margin, MEXA] by the folds that are looked at, as a bit mask; by group of languages.
        "means": means,
        "contrasts": [
            {"group": g, "layer": l, "measure": ("margin", "mexa")[m], **contrast(means, g, l, m)} for g, l, m in places(means)
        ],
        "trends": [{"group": g, "layer": l, "measure": ("margin", "mexa")[m], **trend(means, g, l, m)} for g, l, m in places(means)],
    }
    (OUT / "expected.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")
