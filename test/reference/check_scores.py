"""Computes the tables of a scored run again from its raw arrays, with other people's code, and compares every column.

    pip install -r test/reference/requirements-scores.txt
    babelscope capture demo/checkpoints/base --probes facts --limit 40 --hooks attn.hook_pattern,hook_resid_post --out <run>
    babelscope score <run> --uncertainty full
    python test/reference/check_scores.py <run> [units of each type, default 4]

Reads nothing but the run folder: layers/*.safetensors and manifest.json as docs/files.md describes them. What follows from fold sums (rates, LAPE,
selections …), and q-values, is computed for every unit; what needs pooled values for some: a random handful and the extremes. Average precision,
AUROC and mutual information are scikit-learn's, entropies, quantiles and q-values SciPy's, sums of squares those of statsmodels' analysis of variance
and of least-squares fits of dummy-coded models. What is drawn at random is drawn anew, by numpy's generator: p-values, bootstrap and half-sample errors
must agree as far as two samples do (five standard errors). Reliabilities of scores.json: of types of at most 512 units, scores of pooled values of at most 64.
Standard errors and intervals are those that a table says its columns have (`columns` in its metadata); ends of intervals that are none of these
(those of sums of squares, and of a maximum) are named as not checked.
"""

import json
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from safetensors.numpy import load_file
from scipy import stats
from sklearn.metrics import average_precision_score, mutual_info_score, roc_auc_score
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

run, handful = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4
rng = np.random.default_rng(20260505)
manifest = json.loads((run / "manifest.json").read_text())
summary = json.loads((run / "scores.json").read_text())
plan, shape = manifest["plan"], manifest["shape"]
tags, K, G = plan["languages"], len(plan["languages"]), plan["folds"]
fold_of = np.array([item["fold"] for item in plan["items"]], int)
layers = [load_file(run / "layers" / f"{layer:02}.safetensors") for layer in range(shape["layers"])]
tokens = layers[0]["tokens"].astype(float)
live = np.flatnonzero(tokens.sum(1))
resampling = summary["resampling"]
DRAWS = 500
ITEMS = {"neuron": "mlp.items", "head": "head.norm.items", "expert": "expert.prob.items", "residual": "resid.items"}
RATES = {"neuron": "mlp.fire", "head": "head.norm.sum", "expert": "expert.count", "residual": None}
MEANS = {"neuron": "mlp.sum", "head": "head.norm.sum", "expert": "expert.prob.sum", "residual": "resid.sum"}
if "head.importance.sum" in layers[0]:
    RATES["head"] = MEANS["head"] = "head.importance.sum"

checked, wrong, left_out = Counter(), [], Counter()


def compare(name, found, expected, rtol=1e-9, atol=1e-9):
    """Missing where expected is NaN, and only there."""
    found, expected = np.atleast_1d(np.asarray(found, float)), np.atleast_1d(np.asarray(expected, float))
    assert found.shape == expected.shape, (name, found.shape, expected.shape)
    checked[name] += found.size
    bad = np.isnan(found) != np.isnan(expected)
    bad |= np.abs(found - expected) > atol + rtol * np.abs(expected)
    if bad.any():
        at = tuple(np.argwhere(bad)[0])
        wrong.append(f"{name}: {bad.sum()} of {bad.size}; found {found[at]}, expected {expected[at]} at {at}")


def about(table, name):
    return json.loads(metadata[table]["columns"])[name]


def is_method(table, name, method, named=True):
    """Whether the column says that its standard error and interval are of this method (or does not)."""
    if (method in about(table, f"{name}_se")) == named:
        return True
    left_out[f"{name} (interval)"] += 1
    return False


metadata, tables = {}, {}
for table in ("units", "unit_languages"):
    metadata[table] = {k.decode(): v.decode() for k, v in pq.read_schema(run / f"{table}.parquet").metadata.items()}
    tables[table] = pd.read_parquet(run / f"{table}.parquet")
    said = {language["tag"]: language["tokens"] for language in json.loads(metadata[table]["languages"])}
    assert said == dict(zip(tags, tokens.sum(0).astype(int).tolist())), "T_k of the table"
units, languages = tables["units"], tables["unit_languages"]
SINGLE = 2e-6  # intervals, p and q are kept in single precision


def t_interval(name, table, found, value, replicates, low=-np.inf, high=np.inf):
    """Delete-one-group jackknife: replicates [group, …]."""
    if not is_method(table, name, "delete-one-fold jackknife"):
        return
    groups = len(replicates)
    with np.errstate(invalid="ignore"):
        se = np.sqrt((groups - 1) / groups * ((replicates - replicates.mean(0)) ** 2).sum(0)) if groups > 1 else value * np.nan
    half = stats.t.ppf(0.975, groups - 1) * se if groups > 1 else se
    scale = np.nanmax(np.abs(value), initial=0)
    compare(f"{name}_se", found(f"{name}_se"), se, SINGLE, SINGLE * scale)
    if not is_method(table, name, "t quantile of folds − 1") or not is_method(table, name, "the interval", False):
        return
    compare(f"{name}_low", found(f"{name}_low"), np.maximum(low, value - half), SINGLE, SINGLE * scale)
    compare(f"{name}_high", found(f"{name}_high"), np.minimum(high, value + half), SINGLE, SINGLE * scale)


# ---- What follows from fold sums, for all units of a type, layers one after another.


def routed(layer, type, width):
    """[fold, language, unit]: the tokens that a unit sees."""
    mixture = shape["mixture"]
    if type != "neuron" or mixture is None or layer not in mixture["layers"]:
        return np.broadcast_to(tokens[:, :, None], (G, K, width))
    of_expert = np.repeat(layers[layer]["expert.count"], mixture["dExpert"], axis=2)
    rest = np.repeat(tokens[:, :, None], width - of_expert.shape[2], axis=2)
    return np.concatenate([of_expert, rest], axis=2).astype(float)


def gather(type, array):
    """Sums and what they are divided by, [fold, language, unit of any layer]; None if the run has none."""
    kept = [(layer, arrays[array]) for layer, arrays in enumerate(layers) if array in arrays]
    if not kept:
        return None
    return (np.concatenate([values.astype(float) for _, values in kept], 2),
            np.concatenate([routed(layer, type, values.shape[2]) for layer, values in kept], 2))


def means(sums, seen, folds):
    with np.errstate(invalid="ignore", divide="ignore"):
        total = seen[folds].sum(0)
        return np.where(total > 0, sums[folds].sum(0) / total, np.nan)


def entropies(rates):
    with np.errstate(invalid="ignore", divide="ignore"):
        h = stats.entropy(rates, axis=0)
    h[np.isnan(rates).any(0) | (np.nansum(rates, 0) == 0) | (np.nanmin(np.nan_to_num(rates), 0) < 0)] = np.nan
    return h


def contrasts(values):
    return values - (values.sum(0) - values) / (len(values) - 1)


def exclusivities(rates):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(rates.sum(0) > 0, rates.max(0) / rates.sum(0), np.nan)


def fold_scores(type):
    """(name, table, values of the run, function of [language, unit] means, range) of a type."""
    own = [("rate", "unit_languages", RATES[type], lambda m: m, (0, 1 if type in ("neuron", "expert") else np.inf)),
           ("mean", "unit_languages", MEANS[type], lambda m: m, {"head": (0, np.inf), "expert": (0, 1)}.get(type, (-np.inf, np.inf))),
           ("contrast", "unit_languages", MEANS[type], contrasts, (-np.inf, np.inf)),
           ("lape", "units", RATES[type], entropies, (0, np.log(K)))]
    if "head.importance.sum" in (RATES[type], MEANS[type]):
        own = [(name, table, array, of, (-np.inf, np.inf) if name != "lape" else bounds) for name, table, array, of, bounds in own]
    if type == "expert":
        own.append(("exclusivity", "units", RATES[type], exclusivities, (1 / K, 1)))
    if type == "head":
        for name, top in (("entropy", np.inf), ("first", 1), ("previous", 1)):
            own.append((f"pattern_{name}", "unit_languages", f"head.pattern.{name}.sum", lambda m: m, (0, top)))
    return own


def rows(table, type):
    own = tables[table]
    return own[own.type == type]


def column(table, type):
    """Reads a column as [unit] or [language, unit]."""
    def read(name):
        values = rows(table, type)[name].to_numpy(float)
        return values if table == "units" else values.reshape(-1, K).T
    return read


def policies(type, rates, entropy):
    """Both selections from their definitions; members by unit."""
    bar = np.nanpercentile(rates, 95)
    order = np.lexsort((np.arange(entropy.size), entropy))
    known = ~np.isnan(entropy)
    eligible = [u for u in order if known[u] and (rates[:, u] > bar).any()][: round(entropy.size * 0.01)]
    tang = {u: ",".join(tag for k, tag in enumerate(tags) if rates[k, u] > bar) for u in eligible}
    lowest = [u for u in order if known[u]][: int(np.floor(entropy.size * 0.01))]
    polyfact = {u: tags[int(np.nanargmax(rates[:, u]))] for u in lowest}
    for name, members in (("tang2024", tang), ("polyfact2026", polyfact)):
        found = rows("units", type)[f"selected_{name}"].to_numpy()
        expected = np.array([members.get(u, "") for u in range(entropy.size)], object)
        checked[f"selected_{name}"] += len(found)
        if not (found == expected).all():
            wrong.append(f"selected_{name} of {type}: {(found != expected).sum()} units")
        said = next(row for row in summary["units"] if row["type"] == type)[name]
        assert said["selected"] == len(members), (name, said["selected"], len(members))


types = list(dict.fromkeys(units.type))
for type in types:
    for name, table, array, of, (low, high) in fold_scores(type):
        read = column(table, type)
        gathered = None if array is None else gather(type, array)
        asked = not (name == "lape" and (K < 2 or rows(table, type)[name].isna().all()))
        if gathered is None or not asked:
            ends_of = [f"{name}{end}" for end in ("", "_se", "_low", "_high")]
            assert rows(table, type)[ends_of].isna().to_numpy().all(), (type, name)
            continue
        sums, seen = gathered
        groups = np.flatnonzero(seen.sum((1, 2)))
        value = of(means(sums, seen, groups))
        compare(name, read(name), value, 1e-9, 1e-12)
        t_interval(name, table, read, value, np.array([of(means(sums, seen, groups[groups != g])) for g in groups]), low, high)
    if RATES[type] is None or gather(type, RATES[type]) is None:
        continue
    rates = means(*gather(type, RATES[type]), live)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(rates.sum(0) > 0, rates / rates.sum(0), np.nan)
    compare("share", column("unit_languages", type)("share"), share)
    own = rows("units", type)
    dead = [None if np.isnan(r).all() else np.nanmax(r) == 0 for r in rates.T]
    top = [tags[int(np.nanargmax(r))] if np.nanmax(np.nan_to_num(r)) > 0 else None for r in rates.T]
    for name, expected in (("dead", dead), ("top_language", top)):
        found = [None if pd.isna(value) else value for value in own[name]]
        checked[name] += len(found)
        if found != expected:
            wrong.append(f"{name} of {type}")
    if own.lape.notna().any():
        policies(type, rates, entropies(rates))

# ---- What stands in the tables beside each other, for all rows.

for table, own in tables.items():
    for name in [name for name in own if name.endswith("_p")]:
        for type in types:
            p, q = rows(table, type)[name].to_numpy(), rows(table, type)[f"{name[:-2]}_q"].to_numpy()
            known = ~np.isnan(p)
            expected = np.full(p.shape, np.nan)
            if known.any():
                assert resampling and p[known].min() >= 1 / (1 + resampling["permutations"]) - 1e-9 and p[known].max() <= 1
                expected[known] = stats.false_discovery_control(p[known], method="bh")
            compare(f"{name[:-2]}_q", q, expected, SINGLE, 0)
for name in ("ap", "auroc", "selectivity"):
    for type in types:
        values = column("unit_languages", type)(name)
        own = rows("units", type)
        absent = np.isnan(values).all(0)
        ranked = np.argsort(-np.nan_to_num(values, nan=-np.inf), axis=0, kind="stable")
        for place, suffix in enumerate(("best", "second") if name == "selectivity" else ("best",)):
            compare(f"{name}_{suffix}", own[f"{name}_{suffix}"], np.take_along_axis(values, ranked, 0)[place])
            expected = [None if gone else tags[k] for gone, k in zip(absent, ranked[place])]
            found = [None if pd.isna(tag) else tag for tag in own[f"{name}_{suffix}_language"]]
            checked[f"{name}_{suffix}_language"] += len(found)
            if found != expected:
                wrong.append(f"{name}_{suffix}_language of {type}")

# ---- What is made of pooled values, for some units.


def sums_of_squares(grid):
    """Of [item, language, …]: SS of total, language, item as drops of residual squares between dummy-coded models."""
    n, k = grid.shape[:2]
    x = grid.reshape(n * k, -1) - grid.reshape(n * k, -1).mean(0)
    item, language = np.kron(np.eye(n), np.ones((k, 1))), np.kron(np.ones((n, 1)), np.eye(k))

    def residual(*blocks):
        design = np.hstack(blocks)
        fit = design @ np.linalg.lstsq(design, x, rcond=None)[0]
        return ((x - fit) ** 2).sum(0)

    both = residual(item, language)
    return (x**2).sum(0), residual(item) - both, residual(language) - both


def two_way(grid):
    n, k = grid.shape[:2]
    if n < 2 or k < 2:
        return np.full(4, np.nan)
    (total,), (language,), (item,) = sums_of_squares(grid)
    if total < 1e-20 * (1 + (grid**2).sum()):
        return np.full(4, np.nan)
    rest = (total - language - item) / ((n - 1) * (k - 1))
    return np.array([language / total, item / total, (language - (k - 1) * rest) / (total + rest), (item - (n - 1) * rest) / (total + rest)])


def shares(grid):
    if len(grid) < 2:
        return np.full(2, np.nan)
    total, language, item = (sums.sum() for sums in sums_of_squares(grid))
    return np.array([language / total, item / total])


def ranked(x, label, weight):
    keep = np.repeat(np.arange(x.size), weight)
    x, label = x[keep], label[keep]
    one = [label == k for k in range(K)]
    ap = [average_precision_score(y, x) if y.any() else np.nan for y in one]
    auroc = [roc_auc_score(y, x) if 0 < y.sum() < y.size else np.nan for y in one]
    return np.array(ap), np.array(auroc)


def information(x, label):
    bins = np.floor(16 * (stats.rankdata(-x) - 0.5) / x.size).astype(int)
    cells = len(set(zip(bins, label)))
    return mutual_info_score(label, bins) + (len(set(bins)) + len(set(label)) - cells - 1) / (2 * x.size)


def selectivity(x, label):
    groups = [x[label == k] for k in range(K)]
    if any(len(g) == 0 for g in groups):
        return np.full(K, np.nan)
    freedom = x.size - K
    spread = np.sqrt(sum(((g - g.mean()) ** 2).sum() for g in groups) / freedom)
    if not spread > 1e-12 * np.abs(x).max():
        return np.full(K, np.nan)
    return np.array([(1 - 3 / (4 * freedom - 1)) * (x[label == k].mean() - x[label != k].mean()) / spread for k in range(K)])


def overlaps(x, label, low, high, bins=64):
    """[language]: mean with the others; and the mean over pairs."""
    if high == low:
        edges = np.array([low - 0.5, low + 0.5])
    else:
        edges = np.linspace(low, high, bins + 1)
    histograms = [np.histogram(x[label == k], edges)[0] / max(1, (label == k).sum()) for k in range(K)]
    pairs = np.array([[np.minimum(a, b).sum() for b in histograms] for a in histograms])
    each = (pairs.sum(1) - np.diag(pairs)) / (K - 1)
    return each, each.mean()


def permuted(label, item):
    out = label.copy()
    for own in prompts_of:
        out[own] = rng.permutation(label[own])
    return out


def near_p(name, found, null, observed, permutations):
    """Two Monte Carlo estimates of one p."""
    if np.isnan(observed):
        return compare(name, found, np.nan)
    own = (1 + (null >= observed - 1e-12 * abs(observed)).sum()) / (1 + len(null))
    pooled = max((own * len(null) + found * permutations) / (len(null) + permutations), 1 / permutations)
    room = 5 * np.sqrt(pooled * (1 - pooled) * (1 / len(null) + 1 / permutations)) + 2 / len(null)
    compare(name, found, own, 0, room)


def near_ends(name, found, draws, low=-np.inf, high=np.inf):
    draws = draws[~np.isnan(draws)]
    # Monte Carlo errors of both: of a standard deviation by the draws' kurtosis, of a quantile by quantiles next to it.
    n = 1 / len(draws) + 1 / resampling["draws"]
    kurtosis = stats.kurtosis(draws, fisher=False) if draws.std() > 0 else 3
    compare(f"{name}_se", found["se"], draws.std(ddof=1), 5 * np.sqrt(max(2, kurtosis - 1) / 4 * n), SINGLE)
    for end, q in (("low", 0.025), ("high", 0.975)):
        near = q + np.array([-5, 5]) * np.sqrt(q * (1 - q) * n)
        least, most = np.clip(np.quantile(draws, np.clip(near, 0, 1)), low, high)
        compare(f"{name}_{end}", found[end], np.clip(found[end], least, most), SINGLE, SINGLE)


def half_sample(name, found, center, variance, low=-np.inf, high=np.inf, drawn=0):
    """±35 %: a hundred random halvings of some twenty folds, in both. `drawn`: standard error of a center that was drawn."""
    se = np.sqrt(variance)
    compare(f"{name}_se", found["se"], se, 0.35, SINGLE)
    if not is_method("units", name, "t quantile of folds − 1"):
        return
    half = stats.t.ppf(0.975, len(groups) - 1) * se
    for end, value in (("low", center - half), ("high", center + half)):
        compare(f"{name}_{end}", found[end], np.clip(value, low, high), 0, 0.35 * half + 5 * drawn + SINGLE)


def ends(row, name):
    return {end: row[f"{name}_{end}"] for end in ("se", "low", "high")}


def check_two_way(row, grid, foldOf):
    for name, values, each in (
        (("eta2_language", "eta2_item", "omega2_language", "omega2_item"), grid, two_way),
        *([(("vector_share_language", "vector_share_item"), vectors(row)[complete], shares)] if row.type == "head" and vectors(row) is not None else []),
    ):
        whole = each(values)
        replicates = np.array([each(values[foldOf != g]) for g in np.unique(foldOf)])
        for i, own in enumerate(name):
            compare(own, row[own], whole[i], 1e-6, 1e-9)
            t_interval(own, "units", lambda n: row[n], whole[i], replicates[:, i], 0 if "omega" not in own else -np.inf, 1)
    if grid.std() > 0:
        frame = pd.DataFrame([(i, k, grid[i, k]) for i in range(len(grid)) for k in range(K)], columns=["item", "language", "x"])
        frame.x = (frame.x - frame.x.mean()) / frame.x.std()
        anova = anova_lm(ols("x ~ C(item) + C(language)", frame).fit())["sum_sq"]
        compare("eta2_language", row.eta2_language, anova["C(language)"] / anova.sum(), 1e-6)
        compare("eta2_item", row.eta2_item, anova["C(item)"] / anova.sum(), 1e-6)


def vectors(row):
    values = layers[row.layer].get("head.items")
    return None if values is None else values[:, :, row["index"]].astype(float)


def pooled(row):
    """[item, language] of a unit; None if it has none. Where some units of a layer have none they come first."""
    values = layers[row.layer].get(ITEMS[row.type])
    own = rows("units", row.type)
    at = -1 if values is None else row["index"] - (own.layer == row.layer).sum() + values.shape[2]
    return None if at < 0 else values[:, :, at].astype(float)


def check_unit(row):
    values = pooled(row)
    by_language = languages[(languages.type == row.type) & (languages.layer == row.layer) & (languages["index"] == row["index"])]
    by_language = by_language.set_index("language").loc[tags]
    if values is None:
        assert row[["eta2_item", "mi", "overlap"]].isna().all() and by_language[["ap", "auroc", "selectivity"]].isna().to_numpy().all()
        return
    x = values[present]
    if row[["eta2_item"]].notna().all() or len(complete) > 1:
        check_two_way(row, values[complete], fold_of[complete])
    ap, auroc = ranked(x, label, np.ones(x.size, int))
    d, mi = selectivity(x, label), information(x, label)
    each, mean = overlaps(x, label, x.min(), x.max())
    for name, value in (("ap", ap), ("auroc", auroc), ("selectivity", d), ("overlap", each)):
        compare(name, by_language[name], value, 1e-7, 1e-9)
    compare("ap_chance", by_language.ap_chance, np.bincount(label, minlength=K) / label.size)
    compare("mi", row.mi, mi)
    compare("overlap", row.overlap, mean)
    if resampling is None:
        return
    t_interval("ap", "unit_languages", lambda n: by_language[n].to_numpy(), ap,
               np.array([ranked(x, label, (fold_of[item] != g).astype(int))[0] for g in groups]), 0, 1)
    # Percentile bootstrap over items.
    drawn = {"auroc": [], "selectivity": []}
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(len(fold_of), size=len(fold_of)), minlength=len(fold_of))[item]
        keep = np.repeat(np.arange(x.size), times)
        r, l = stats.rankdata(x[keep]), label[keep]
        n = np.array([(l == k).sum() for k in range(K)])
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn["auroc"].append([(r[l == k].sum() - n[k] * (n[k] + 1) / 2) / (n[k] * (l.size - n[k])) for k in range(K)])
        drawn["selectivity"].append(selectivity(x[keep], l))
    for name, bounds in (("auroc", (0, 1)), ("selectivity", (-np.inf, np.inf))):
        if is_method("unit_languages", name, "percentile bootstrap over items"):
            for k, tag in enumerate(tags):
                near_ends(name, ends(by_language.loc[tag], name), np.array(drawn[name])[:, k], *bounds)
    # Languages permuted within items.
    count = resampling["permutations"]
    null = {"ap": [], "auroc": [], "selectivity": [], "mi": [], "squares": []}
    centred = values[complete] - values[complete].mean(1, keepdims=True)
    for n in range(200):
        other = permuted(label, item)
        a, r = ranked(x, other, np.ones(x.size, int))
        null["ap"].append(a)
        null["auroc"].append(np.abs(r - 0.5))
        null["selectivity"].append(selectivity(x, other))
        null["mi"].append(information(x, other))
        null["squares"].append((np.array([rng.permutation(own) for own in centred]).sum(0) ** 2).sum())
    null = {name: np.array(own) for name, own in null.items()}
    for k, tag in enumerate(tags):
        near_p("ap_p", by_language.ap_p[tag], null["ap"][:, k], ap[k], count)
        near_p("auroc_p", by_language.auroc_p[tag], null["auroc"][:, k], abs(auroc[k] - 0.5), count)
        near_p("selectivity_p", by_language.selectivity_p[tag], null["selectivity"][:, k], d[k], count)
    near_p("selectivity_best_p", row.selectivity_best_p, null["selectivity"].max(1), d.max(), count)
    near_p("mi_p", row.mi_p, null["mi"], mi, count)
    if len(complete) > 1:
        squares = np.nan if np.isnan(row.omega2_language) else (centred.sum(0) ** 2).sum()
        near_p("omega2_language_p", row.omega2_language_p, null["squares"], squares, count)
    # Random half-samples of the folds.
    pairs = {"mi": [], "each": [], "mean": []}
    for _ in range(120):
        half = np.isin(fold_of[item], rng.permutation(groups)[: len(groups) // 2])
        own = [(information(x[s], label[s]), *overlaps(x[s], label[s], x.min(), x.max(), 32)) for s in (half, ~half)]
        for i, name in enumerate(("mi", "each", "mean")):
            pairs[name].append((own[0][i] - own[1][i]) ** 2 / 4)
    variance = {name: np.mean(own, 0) for name, own in pairs.items()}
    if is_method("units", "mi", "random half-samples"):
        chance = null["mi"].var(ddof=1)
        drawn = np.sqrt(chance * (1 / len(null["mi"]) + 1 / count))
        center = mi - null["mi"].mean()
        half_sample("mi", ends(row, "mi"), center, max(variance["mi"] / 2, variance["mi"] - chance), drawn=drawn)
    if is_method("units", "overlap", "random half-samples"):
        half_sample("overlap", ends(row, "overlap"), mean, variance["mean"], 0, 1)
        for k, tag in enumerate(tags):
            half_sample("overlap", ends(by_language.loc[tag], "overlap"), each[k], variance["each"][k], 0, 1)


def chosen(type):
    """A random handful, and the units that are least and most of something."""
    own = rows("units", type)
    at = list(rng.choice(len(own), min(handful, len(own)), replace=False))
    for name, most in (("lape", np.nanargmin), ("omega2_item", np.nanargmax), ("ap_best", np.nanargmax), ("mi", np.nanargmin)):
        if own[name].notna().any():
            at.append(int(most(own[name])))
    return own.iloc[sorted(set(at))]


units_checked = 0
grid = next((layers[0][name] for name in ("head.norm.items", "mlp.items", "resid.items") if name in layers[0]), None)
if grid is not None:
    present = ~np.isnan(grid[:, :, 0].astype(float))
    item, label = np.nonzero(present)
    prompts_of = [np.flatnonzero(item == i) for i in np.unique(item)]
    complete = np.flatnonzero(present.all(1))
    groups = np.unique(fold_of[item])
    assert summary["completeItems"] == len(complete)
    compare("languageEntropy", summary["languageEntropy"], stats.entropy(np.bincount(label, minlength=K)))
    for type in types:
        for _, row in chosen(type).iterrows():
            check_unit(row)
            units_checked += 1

# ---- Alignment of languages.

path = run / "alignment.parquet"
if path.exists():
    aligned = pd.read_parquet(path)

    def alignment(a, b):
        n = len(a)
        cosine = (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T
        same, rest = np.diag(cosine), ~np.eye(n, dtype=bool)
        best = np.maximum(np.where(rest, cosine, -np.inf).max(0), np.where(rest, cosine, -np.inf).max(1))
        return same.mean(), cosine[rest].mean(), same.mean() - cosine[rest].mean(), (same > best).mean()

    for _, row in aligned.iterrows():
        a, b = (layers[row.layer]["resid.items"][:, tags.index(row[f"language_{end}"])].astype(float) for end in "ab")
        both = ~np.isnan(a[:, 0]) & ~np.isnan(b[:, 0])
        both &= (np.abs(np.nan_to_num(a)).max(1) > 0) & (np.abs(np.nan_to_num(b)).max(1) > 0)
        whole = alignment(a[both], b[both])
        folds = np.unique(fold_of[both])
        left = np.array([alignment(a[both & (fold_of != g)], b[both & (fold_of != g)]) for g in folds])
        compare("items", row["items"], both.sum())
        for name, value in zip(("cosine_same", "cosine_different", "margin", "mexa"), whole):
            compare(name, row[name], value, 1e-6, 2e-7)  # float32 products
        compare("mexa_chance", row.mexa_chance, 1 / (2 * both.sum() - 1))
        for name, i, low, high in (("margin", 2, -2, 2), ("mexa", 3, 0, 1)):
            n = len(folds)
            se = np.sqrt((n - 1) / n * ((left[:, i] - left[:, i].mean()) ** 2).sum())
            half = stats.t.ppf(0.975, n - 1) * se
            compare(f"{name}_se", row[f"{name}_se"], se, 1e-4, 1e-6)
            compare(f"{name}_low", row[f"{name}_low"], max(low, whole[i] - half), 1e-4, 1e-6)
            compare(f"{name}_high", row[f"{name}_high"], min(high, whole[i] + half), 1e-4, 1e-6)

# ---- Reliabilities of types whose units were all used.


def half_scores(type):
    """Scores of a type by a set of folds, [column, unit]; what scores.json calls them."""
    for name, _, array, of, _ in fold_scores(type):
        gathered = None if array is None else gather(type, array)
        if gathered is not None:
            words = name.split("_")
            yield words[0] + "".join(word.title() for word in words[1:]), lambda folds, g=gathered, of=of: np.atleast_2d(of(means(*g, folds)))
    kept = [arrays[ITEMS[type]].astype(float) for arrays in layers if ITEMS[type] in arrays]
    if not len(rows("units", type)) == sum(values.shape[2] for values in kept) <= 64:
        return
    stacked = np.concatenate(kept, 2)

    def by_unit(each):
        return lambda folds: np.array([each(stacked[:, :, u], folds) for u in range(stacked.shape[2])]).T

    def of_prompts(each):
        def score(values, folds):
            own = np.isin(fold_of[item], folds)
            return np.atleast_1d(each(values[present][own], label[own], values[present]))
        return by_unit(score)

    ones = lambda x: np.ones(x.size, int)
    yield "ap", of_prompts(lambda x, l, _: ranked(x, l, ones(x))[0])
    yield "apBest", of_prompts(lambda x, l, _: ranked(x, l, ones(x))[0].max())
    yield "auroc", of_prompts(lambda x, l, _: ranked(x, l, ones(x))[1])
    yield "selectivity", of_prompts(lambda x, l, _: selectivity(x, l))
    yield "mi", of_prompts(lambda x, l, _: information(x, l))
    yield "overlap", of_prompts(lambda x, l, all: overlaps(x, l, all.min(), all.max())[1])
    for i, name in enumerate(("eta2Language", "eta2Item", "omega2Language", "omega2Item")):
        yield name, by_unit(lambda values, folds, i=i: two_way(values[[j for j in complete if fold_of[j] in folds]])[i : i + 1])


def spearman(a, b):
    known = ~np.isnan(a) & ~np.isnan(b)
    return stats.spearmanr(a[known], b[known])[0] if known.sum() > 2 else np.nan


SPLITS = 20
for type in types:
    said = {row["score"]: row for row in summary["reliability"] if row["type"] == type and row["units"] == len(rows("units", type)) <= 512}
    for name, score in half_scores(type) if said else ():
        if name not in said:
            continue
        correlations = []
        for _ in range(SPLITS):
            order = rng.permutation(live)
            first, second = score(order[: len(order) // 2]), score(order[len(order) // 2 :])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                correlations.append(np.nanmean([spearman(a, b) for a, b in zip(first, second)]))
        halves = said[name]["halves"]
        # A half may lack a language altogether.
        known = np.array(correlations)[~np.isnan(correlations)]
        room = 5 * known.std() * np.sqrt(1 / len(known) + 1 / summary["splits"])
        compare(f"reliability of {name}", halves, known.mean(), 0, room)
        compare(f"step-up of {name}", said[name]["stepUp"], 2 * halves / (1 + halves))

columns = {name for table in tables.values() for name in table if table[name].notna().any()}
missed = sorted(columns - set(checked) - {"type", "layer", "index", "expert", "language"})
for line in wrong:
    print("WRONG", line)
print(f"{sum(checked.values())} values of {len(checked)} columns, {units_checked} units by their pooled values; not checked: {', '.join([*left_out, *missed]) or 'nothing'}")
sys.exit(1 if wrong else 0)
