"""Makes test/fixtures/scores: arrays of a small run, and its scores computed with numpy, SciPy and scikit-learn.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_scores.py

Nothing here is taken from babelscope: entropies come from scipy.stats.entropy, average precision from scikit-learn,
AUROC and mutual information likewise, sums of squares from least-squares fits of dummy-coded models, histograms from
numpy, selections and jackknives from a literal reading of the definitions.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy import optimize, stats
from sklearn.metrics import average_precision_score, mutual_info_score, roc_auc_score

OUT = Path(__file__).parent.parent / "fixtures" / "scores"
LAYERS, NEURONS, HEADS, HEAD_DIM, LANGUAGES, ITEMS, FOLDS = 2, 60, 3, 4, 4, 30, 6
FRACTION, PERCENTILE = 0.15, 95
rng = np.random.default_rng(20260101)


def clean(value):
    """NaN as null, arrays as lists."""
    if isinstance(value, dict):
        return {key: clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [clean(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else float(value)
    if isinstance(value, np.integer):
        return int(value)
    return value


def write(name, value):
    (OUT / name).write_text(json.dumps(clean(value), separators=(",", ":")) + "\n")


# A run. Item 4 lacks language 1, item 11 lacks languages 0 and 3.
fold_of = np.arange(ITEMS) % FOLDS
missing = np.zeros((ITEMS, LANGUAGES), bool)
missing[4, 1] = missing[11, 0] = missing[11, 3] = True


def fold_tokens():
    tokens = np.zeros((FOLDS, LANGUAGES), np.uint32)
    for item in range(ITEMS):
        for k in range(LANGUAGES):
            if not missing[item, k]:
                tokens[fold_of[item], k] += 7 + (item + 3 * k) % 9
    return tokens


def make_layer(tokens):
    rate = rng.beta(0.4, 1.5, (1, LANGUAGES, NEURONS))
    rate[:, :, 0] = 0  # never fires
    rate[:, 1:, 1] = 0  # fires in language 0 alone
    rate[:, :, 3] = [0.97, 0.95, 0, 0]  # shared by two languages
    fire = rng.binomial(tokens[:, :, None], np.broadcast_to(rate, (FOLDS, LANGUAGES, NEURONS))).astype(np.uint32)
    fire[:, :, 2] = 0
    fire[3, 2, 2] = 1  # fires once in the whole run
    mlp = rng.normal(size=(ITEMS, LANGUAGES, NEURONS)) + rng.normal(size=(1, LANGUAGES, NEURONS))
    mlp += 2 * rng.normal(size=(ITEMS, 1, NEURONS)) * rng.random((1, 1, NEURONS))
    mlp[:, :, 5] = np.round(mlp[:, :, 5])  # many ties
    mlp[:, :, 6] = 0.3  # constant
    mlp[:, :, 7] = 1000 + 0.5 * np.round(mlp[:, :, 7])  # far from zero
    mlp[:, :, 8] = np.where(np.arange(LANGUAGES) == 2, 1, 0)  # language and nothing else
    z = rng.normal(size=(ITEMS, LANGUAGES, HEADS, HEAD_DIM)) + rng.normal(size=(1, LANGUAGES, HEADS, HEAD_DIM))
    norm = np.abs(rng.normal(2, 1, (ITEMS, LANGUAGES, HEADS)))
    for array in (mlp, z, norm):
        array[missing] = np.nan
    sums = rng.normal(size=(FOLDS, LANGUAGES, NEURONS)) * tokens[:, :, None]
    norms = rng.gamma(2, 1, (FOLDS, LANGUAGES, HEADS)) * tokens[:, :, None]
    return {
        "tokens": tokens,
        "mlp.fire": fire,
        "mlp.sum": sums,
        "head.norm.sum": norms,
        "mlp.items": mlp.astype(np.float16),
        "head.items": z.astype(np.float16),
        "head.norm.items": norm.astype(np.float32),
    }


def rates_of(sums, tokens, folds):
    return sums[folds].sum(0) / tokens[folds].sum(0)[:, None]


def contrast(means):
    return means - (means.sum(0) - means) / (LANGUAGES - 1)


def lape_of(rates):
    """scipy.stats.entropy normalises its argument; 0/0 is NaN."""
    with np.errstate(invalid="ignore"):
        return stats.entropy(rates, axis=0)


def deviate(value, theta, bias, slope):
    """Sankaran's (1963) normal approximation to the noncentral chi-square, n = bias / slope, lambda = theta / slope."""
    n, l, x = bias / slope, theta / slope, value / slope
    h = 1 - 2 * (n + l) * (n + 3 * l) / (3 * (n + 2 * l) ** 2)
    p = (n + 2 * l) / (n + l) ** 2
    m = (h - 1) * (1 - 3 * h)
    return ((x / (n + l)) ** h - (1 + h * p * (h - 1 - (2 - h) * m * p / 2))) / (h * np.sqrt(2 * p) * (1 + m * p / 2))


def distance_interval(value, bias, se, groups):
    """Every theta >= 0 under which the distance is in neither tail of a level of 5 %."""
    if not np.isfinite([value, bias, se]).all():
        return np.nan, np.nan
    none = max(0, bias)
    with np.errstate(divide="ignore"):
        slope = np.divide(se**2, 4 * value)
    slope = slope if value > none else min(slope, none)
    if not slope > 0:
        return value, value
    share = lambda theta: 2 * theta / (none + 2 * theta)
    above = lambda theta: deviate(value, theta, none, slope) - stats.t.ppf(1 - 0.05 * (1 - share(theta) / 2), groups - 1)
    below = lambda theta: deviate(value, theta, none, slope) + stats.t.ppf(1 - 0.025 * share(theta), groups - 1)
    start, most = max(value, none) * 1e-9, max(value, none)
    while below(most) > 0:
        most *= 2
    low = optimize.brentq(above, start, value, xtol=1e-15, rtol=1e-12) if above(start) > 0 else 0
    return low, optimize.brentq(below, start, most, xtol=1e-15, rtol=1e-12)


def jackknife_distance(value, left):
    """Bias, low and high of [unit] distances."""
    groups = len(left)
    left = np.array(left)
    se = np.sqrt((groups - 1) / groups * ((left - left.mean(0)) ** 2).sum(0))
    bias = (groups - 1) * (left.mean(0) - value)
    ends = np.array([distance_interval(v, b, s, groups) for v, b, s in zip(value, bias, se)])
    return np.maximum(0, bias), ends[:, 0], ends[:, 1]


def fold_lape(compute):
    """LAPE, its standard error and its interval: ln K less that of the distance from ln K, and holding the estimate."""
    folds = np.arange(FOLDS)
    most = np.log(LANGUAGES)
    value, left = compute(folds), np.array([compute(np.delete(folds, g)) for g in folds])
    _, nearest, furthest = jackknife_distance(most - value, most - left)
    ends = {"low": np.clip(np.minimum(most - furthest, value), 0, None), "high": np.maximum(most - nearest, value)}
    return {"value": value, "se": jackknife(value, left)["se"], **ends}


def fold_shares(compute):
    """Intervals of the share of variance between languages at this number of items, and of infinitely many."""
    folds = np.arange(FOLDS)
    value, left = compute(folds), [compute(np.delete(folds, g)) for g in folds]
    bias, low, high = jackknife_distance(value, left)
    se = jackknife(value, left)["se"]
    here = {
        "se": se,
        "low": np.where(low > 0, np.minimum(low + bias, value), low),
        "high": np.clip(np.maximum(high + bias, value), None, 1),
    }
    return here, {"low": low, "high": high}


def lape_interval(sums, tokens):
    own = fold_lape(lambda folds: lape_of(rates_of(sums, tokens, folds)))
    return {"lape": own["value"], "lapeSe": own["se"], "lapeLow": own["low"], "lapeHigh": own["high"]}


def residual_squares(design, y):
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return ((y - fitted) ** 2).sum(0)


def sums_of_squares(x):
    """x [item, language, unit]: by comparing nested least-squares models."""
    items, languages, units = x.shape
    y = x.reshape(items * languages, units).astype(np.float64)
    y = y - y.mean(0)
    item = np.kron(np.eye(items), np.ones((languages, 1)))
    language = np.kron(np.ones((items, 1)), np.eye(languages))
    total = residual_squares(np.ones((len(y), 1)), y)
    rest = residual_squares(np.hstack([item, language]), y)
    return total, residual_squares(item, y) - rest, residual_squares(language, y) - rest, rest


def two_way(x):
    items, languages, units = x.shape
    total, language, item, rest = sums_of_squares(x)
    constant = np.ptp(x.reshape(-1, units), axis=0) == 0
    mean_rest = rest / ((items - 1) * (languages - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        effects = {
            "eta2Language": language / total,
            "eta2Item": item / total,
            "omega2Language": (language - (languages - 1) * mean_rest) / (total + mean_rest),
            "omega2Item": (item - (items - 1) * mean_rest) / (total + mean_rest),
        }
    return {name: np.where(constant, np.nan, values) for name, values in effects.items()}


def vector_share(z):
    items, languages, heads, size = z.shape
    total, language, item, _ = (part.reshape(heads, size).sum(1) for part in sums_of_squares(z.reshape(items, languages, -1)))
    return {"vectorShareLanguage": language / total, "vectorShareItem": item / total}


def average_precision(x, keep):
    """x [item, language, unit], keep [item, language]: [language, unit]."""
    language = np.broadcast_to(np.arange(LANGUAGES), keep.shape)[keep]
    values = x[keep].astype(np.float64)
    return np.array(
        [[average_precision_score(language == k, column) for column in values.T] for k in range(LANGUAGES)]
    )


def prompts_of(x, keep):
    """x [item, language, unit], keep [item, language]: values [prompt, unit], language [prompt]."""
    language = np.broadcast_to(np.arange(LANGUAGES), keep.shape)[keep]
    return x[keep].astype(np.float64), language


def auroc(x, keep):
    values, language = prompts_of(x, keep)
    return np.array([[roc_auc_score(language == k, column) for column in values.T] for k in range(LANGUAGES)])


def selectivity(x, keep):
    """Hedges (1981), by groups: [language, unit]."""
    values, language = prompts_of(x, keep)
    within = sum(((values[language == k] - values[language == k].mean(0)) ** 2).sum(0) for k in range(LANGUAGES))
    freedom = len(values) - LANGUAGES
    s = np.sqrt(within / freedom)
    s[np.isclose(s, 0)] = np.nan
    gap = np.array([values[language == k].mean(0) - values[language != k].mean(0) for k in range(LANGUAGES)])
    return (1 - 3 / (4 * freedom - 1)) * gap / s


def mutual_information(x, keep):
    return information(*prompts_of(x, keep))


def information(values, language, bins=16, correct=True):
    """scikit-learn's plug-in estimate, and Miller and Madow's correction of each of its three entropies."""
    n = len(values)

    def one(column):
        bin = np.floor(bins * (stats.rankdata(-column) - 0.5) / n).astype(int)
        cells = len(set(zip(bin, language)))
        extra = (len(set(bin)) - 1) + (len(set(language)) - 1) - (cells - 1)
        return mutual_info_score(language, bin) + (extra / (2 * n) if correct else 0)

    return np.array([one(column) for column in values.T])


def overlap(x, keep, bins=64, whole=None):
    """[language, language, unit]; edges from the prompts of `whole`, by default those kept."""
    values, language = prompts_of(x, keep)
    every = values if whole is None else prompts_of(x, whole)[0]

    def one(column, range_of):
        edges = np.histogram_bin_edges(range_of, bins)
        shares = [np.histogram(column[language == k], edges)[0] / (language == k).sum() for k in range(LANGUAGES)]
        return [[np.minimum(a, b).sum() for b in shares] for a in shares]

    return np.array([one(*columns) for columns in zip(values.T, every.T)]).transpose(1, 2, 0)


def mean_overlap(pairs):
    return (pairs.sum((0, 1)) - LANGUAGES) / (LANGUAGES * (LANGUAGES - 1))


# Halves of the six folds, and languages permuted within items: [permutation, prompt] in the order of items.
HALVINGS = [([0, 1, 2], [3, 4, 5]), ([0, 2, 4], [1, 3, 5]), ([0, 3, 5], [1, 2, 4]), ([1, 2, 5], [0, 3, 4])]


def permutations_of(keep, count=6):
    own = np.random.default_rng(7)
    labels = np.arange(LANGUAGES)
    return [np.concatenate([own.permutation(labels[row]) for row in keep]) for _ in range(count)]


def half_sample_intervals(x, keep, fold_of):
    """SE² = mean (a − b)² / 4 over halvings. Of mutual information against what permutations have; overlap in half the bins."""
    in_half = lambda folds: keep & np.isin(fold_of, folds)[:, None]
    variance = lambda of: np.mean([(of(a) - of(b)) ** 2 for a, b in HALVINGS], axis=0) / 4
    t = stats.t.ppf(0.975, FOLDS - 1)
    values, _ = prompts_of(x, keep)
    null = np.array([information(values, labels) for labels in permutations_of(keep)])
    mi, mi_variance = mutual_information(x, keep), variance(lambda folds: mutual_information(x, in_half(folds)))
    mi_se = np.sqrt(np.maximum(mi_variance / 2, mi_variance - null.var(0, ddof=1)))
    plug_in = information(values, prompts_of(x, keep)[1], correct=False)
    bias = null.mean(0) - (mi - plug_in)
    ends = np.array([distance_interval(*own, FOLDS) for own in zip(plug_in, bias, np.sqrt(mi_variance))])
    overlaps = mean_overlap(overlap(x, keep))
    overlap_se = np.sqrt(variance(lambda folds: mean_overlap(overlap(x, in_half(folds), 32, keep))))
    return {
        "mi": {"se": mi_se, "low": ends[:, 0], "high": ends[:, 1]},
        "overlap": {
            "se": overlap_se,
            "low": np.maximum(0, overlaps - t * overlap_se),
            "high": np.minimum(1, overlaps + t * overlap_se),
        },
    }


def jackknife(value, left, low=-np.inf, high=np.inf):
    groups = len(left)
    left = np.array(left)
    se = np.sqrt((groups - 1) / groups * ((left - left.mean(0)) ** 2).sum(0))
    half = stats.t.ppf(0.975, groups - 1) * se
    return {"se": se, "low": np.maximum(low, value - half), "high": np.minimum(high, value + half)}


def fold_jackknife(compute, low=-np.inf, high=np.inf):
    """compute(folds) of all folds, and of all but each."""
    folds = np.arange(FOLDS)
    return jackknife(compute(folds), [compute(np.delete(folds, g)) for g in folds], low, high)


def item_scores(x, keep, fold_of, complete):
    in_folds = lambda folds: np.isin(fold_of, folds)

    def effect(name):
        return lambda folds: two_way(x[[item for item in complete if in_folds(folds)[item]]])[name]

    eta2, many = fold_shares(effect("eta2Language"))
    omega2 = effect("omega2Language")(np.arange(FOLDS))
    pairs = overlap(x, keep)
    return {
        "auroc": auroc(x, keep),
        "selectivity": selectivity(x, keep),
        "mi": mutual_information(x, keep),
        "apJackknife": fold_jackknife(lambda folds: average_precision(x, keep & in_folds(folds)[:, None]), 0, 1),
        "halfSamples": half_sample_intervals(x, keep, fold_of),
        "overlap": (pairs.sum(1) - 1) / (LANGUAGES - 1),
        "overlapPairs": pairs[:, :, :6],
        "overlapMean": mean_overlap(pairs),
        "eta2LanguageInterval": eta2,
        "omega2LanguageInterval": {
            "se": fold_jackknife(effect("omega2Language"))["se"],
            "low": np.minimum(many["low"], omega2),
            "high": np.clip(np.maximum(many["high"], omega2), None, 1),
        },
    }


def weighted(x, keep):
    """AP and AUROC with items weighted, as a bootstrap draw weights them."""
    weight = np.array([(3 * item + 1) % 4 for item in range(ITEMS)])
    values, language = prompts_of(x, keep)
    item = np.broadcast_to(np.arange(ITEMS)[:, None], keep.shape)[keep]
    w = weight[item]
    again = np.repeat(np.arange(len(values)), w)
    many = values[again], language[again]
    n = len(again)
    s = np.sqrt(
        sum(((many[0][many[1] == k] - many[0][many[1] == k].mean(0)) ** 2).sum(0) for k in range(LANGUAGES))
        / (n - LANGUAGES)
    )
    s[np.isclose(s, 0)] = np.nan
    gap = np.array([many[0][many[1] == k].mean(0) - many[0][many[1] != k].mean(0) for k in range(LANGUAGES)])
    return {
        "weight": weight,
        "ap": [[average_precision_score(language == k, c, sample_weight=w) for c in values.T] for k in range(LANGUAGES)],
        "auroc": [[roc_auc_score(language == k, c, sample_weight=w) for c in values.T] for k in range(LANGUAGES)],
        "selectivity": (1 - 3 / (4 * (n - LANGUAGES) - 1)) * gap / s,
    }


def select_tang2024(rates, entropies):
    """rates [unit, language]."""
    bar = np.percentile(rates, PERCENTILE)
    candidates = [u for u in range(len(rates)) if (rates[u] > bar).any() and not np.isnan(entropies[u])]
    chosen = sorted(candidates, key=lambda u: entropies[u])[: round(len(rates) * FRACTION)]
    members = [[u, [k for k in range(LANGUAGES) if rates[u, k] > bar]] for u in sorted(chosen)]
    return {"bar": bar, "entropyCut": max(entropies[u] for u in chosen), "members": members}


def select_polyfact2026(rates, entropies):
    alive = [u for u in range(len(rates)) if not np.isnan(entropies[u])]
    chosen = sorted(alive, key=lambda u: entropies[u])[: int(len(rates) * FRACTION)]
    return {"members": [[u, [int(np.argmax(rates[u]))]] for u in sorted(chosen)]}


def select_reference(rates, entropies, bar, cut):
    own = [[u, [k for k in range(LANGUAGES) if rates[u, k] > bar]] for u in range(len(rates)) if entropies[u] <= cut]
    return {"members": [[u, languages] for u, languages in own if languages]}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tokens = fold_tokens()
    layers = [make_layer(tokens) for _ in range(LAYERS)]
    complete = np.flatnonzero(~missing.any(1))
    half_folds = [0, 2, 5]
    in_half = np.isin(fold_of, half_folds)
    half_complete = np.array([item for item in complete if in_half[item]])
    everything = np.arange(FOLDS)
    expected = []
    for index, layer in enumerate(layers):
        save_file(layer, OUT / f"layer-{index}.safetensors")
        mlp, z, norm = layer["mlp.items"], layer["head.items"], layer["head.norm.items"]
        neuron = {
            **lape_interval(layer["mlp.fire"], tokens),
            **two_way(mlp[complete]),
            "rate": rates_of(layer["mlp.fire"], tokens, everything),
            "mean": rates_of(layer["mlp.sum"], tokens, everything),
            "ap": average_precision(mlp, ~missing),
            **item_scores(mlp.astype(np.float64), ~missing, fold_of, complete),
            "rateJackknife": fold_jackknife(lambda folds: rates_of(layer["mlp.fire"], tokens, folds), 0, 1),
            "contrastJackknife": fold_jackknife(lambda folds: contrast(rates_of(layer["mlp.sum"], tokens, folds))),
            **({"weighted": weighted(mlp, ~missing)} if index == 0 else {}),
            "half": {
                "lape": lape_of(rates_of(layer["mlp.fire"], tokens, half_folds)),
                "ap": average_precision(mlp, ~missing & in_half[:, None]),
                **two_way(mlp[half_complete]),
            },
        }
        head = {
            **lape_interval(layer["head.norm.sum"], tokens),
            **two_way(norm[complete]),
            **vector_share(z[complete]),
            "rate": rates_of(layer["head.norm.sum"], tokens, everything),
            "mean": rates_of(layer["head.norm.sum"], tokens, everything),
            "ap": average_precision(norm, ~missing),
            **item_scores(norm.astype(np.float64), ~missing, fold_of, complete),
            "half": {**two_way(norm[half_complete]), **vector_share(z[half_complete])},
        }
        expected.append({"neuron": neuron, "head": head})

    # Hardly a grid: language 3 has two items, language 2 a single one, and no item has every language.
    present = ~missing
    present[:, 3] &= np.isin(np.arange(ITEMS), [2, 17])
    present[:, 2] &= np.arange(ITEMS) == 9
    present[[2, 9, 17], 0] = False
    mlp = layers[0]["mlp.items"].astype(np.float64)
    sparse = {
        "absent": np.argwhere(~present),
        "ap": average_precision(mlp, present),
        "auroc": auroc(mlp, present),
        "selectivity": selectivity(mlp, present),
        "mi": mutual_information(mlp, present),
        "overlap": (overlap(mlp, present).sum(1) - 1) / (LANGUAGES - 1),
    }

    rates = np.concatenate([layer["neuron"]["rate"].T for layer in expected])
    entropies = np.concatenate([layer["neuron"]["lape"] for layer in expected])
    tang = select_tang2024(rates, entropies)
    other_rates = np.clip(rates * rng.uniform(0.5, 1.5, rates.shape), 0, 1)
    other_entropies = lape_of(other_rates.T)
    write(
        "run.json",
        {
            "layers": LAYERS,
            "neurons": NEURONS,
            "heads": HEADS,
            "headDim": HEAD_DIM,
            "languages": LANGUAGES,
            "items": ITEMS,
            "folds": FOLDS,
            "foldOf": fold_of,
            "missing": np.argwhere(missing),
            "halfFolds": half_folds,
            "completeItems": len(complete),
            "chance": (~missing).sum(0) / (~missing).sum(),
            "expected": expected,
            "sparse": sparse,
            "halvings": HALVINGS,
            "permutations": permutations_of(~missing),
            "fraction": FRACTION,
            "tang2024": tang,
            "polyfact2026": select_polyfact2026(rates, entropies),
            "otherRates": other_rates,
            "otherReference": select_reference(other_rates, other_entropies, tang["bar"], tang["entropyCut"]),
        },
    )

    x = rng.normal(size=200)
    tied = np.round(x + rng.normal(size=200))
    write(
        "statistics.json",
        {
            "t": [[p, df, stats.t.ppf(p, df)] for p in (0.6, 0.9, 0.975, 0.995, 0.9999) for df in (1, 2, 3.5, 4, 19, 99, 5000)],
            "beta": [[v, a, b, stats.beta.cdf(v, a, b)] for v in (0.01, 0.3, 0.5, 0.97) for a, b in ((0.5, 0.5), (9.5, 0.5), (2, 7), (40, 3))],
            "x": x,
            "tied": tied,
            "midranks": stats.rankdata(tied),
            "spearman": stats.spearmanr(x, tied).statistic,
            "quantiles": [[p, np.quantile(x, p)] for p in (0, 0.05, 0.25, 0.5, 0.95, 0.999, 1)],
        },
    )


if __name__ == "__main__":
    main()
