"""Writes test/fixtures/compare/: small run folders (a base, a tuned run with a second training seed, another regime) and
what a comparison of them must say.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_compare.py

Everything is computed here from the definitions in docs/scores.md and docs/comparing.md with NumPy and SciPy, from the same files that the tests
read; nothing of babelscope is used. The folders are written with the Python `safetensors` package.
"""

import hashlib
import itertools
import json
import pathlib
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import stats

import make_scores

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "compare"
LANGUAGES = ["en", "de", "ja"]
LAYERS, NEURONS, HEADS, HEAD_DIM = 4, 100, 6, 4
FOLDS, ITEMS, FRACTION = 6, 24, 0.05
K = len(LANGUAGES)
ALL = list(range(K))
GROUPS = {"european": [0, 1], "ja": [2]}
RUNS = ["base", "tuned", "tuned-2", "rewarded"]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(folder, value):
    """The text of a manifest: it lists the layers with their checksums, and ends in the checksum of its own text (docs/files.md)."""
    files = {}
    for path in sorted((folder / "layers").iterdir()):
        data = path.read_bytes()
        files[f"layers/{path.name}"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    blank = "0" * 64
    text = json.dumps({**value, "checksums": files, "command": "python3 make_compare.py", "sha256": blank}, indent=1) + "\n"
    return text.replace(blank, sha(text))


def manifest(name, tokens):
    items = [{"id": f"item-{i}", "fold": i % FOLDS} for i in range(ITEMS)]
    names = {"en": ("English", "Latn", "Indo-European"), "de": ("German", "Latn", "Indo-European"), "ja": ("Japanese", "Jpan", "Japonic")}
    return {
        "schema": "babelscope/run",
        "schemaVersion": 2,
        "babelscope": "0.1.0",
        "onnxruntime": "1.30.0",
        "model": {
            "name": name,
            "revision": None,
            "architecture": "Qwen2ForCausalLM",
            "modelType": "qwen2",
            "parameters": 12345,
            "dtype": "BF16",
            "configSha256": sha("config"),
            "weightsSha256": sha(name),
            "tokenizerSha256": sha("tokenizer"),
        },
        "shape": {
            "family": "qwen2", "layers": LAYERS, "dModel": HEADS * HEAD_DIM, "heads": HEADS, "kvHeads": 2, "headDim": HEAD_DIM,
            "dMlp": NEURONS, "experts": None, "vocab": 512, "maxPositions": 128, "parameters": 12345,
        },
        "probe": {
            "name": "fixture", "version": "1", "kind": "text", "licence": "CC0-1.0", "source": "make_compare.py", "sha256": sha("probe"),
        },
        "languages": [
            {
                "tag": tag, "name": names[tag][0], "script": names[tag][1], "family": names[tag][2],
                "prompts": ITEMS - (tag == "ja"), "tokens": int(tokens[:, k].sum()), "truncated": 0,
            }
            for k, tag in enumerate(LANGUAGES)
        ],
        "plan": {
            "languages": LANGUAGES, "items": items, "folds": FOLDS, "seed": 1, "positions": "all", "countFirst": False, "bos": "auto",
            "keep": "items", "chunks": [[i for i in range(ITEMS) if i % FOLDS == g] for g in range(FOLDS)],
            "hooks": ["mlp.hook_pre", "mlp.hook_post", "attn.hook_z"],
        },
        "planSha256": sha("plan" + name),
        "warnings": [],
    }


def write_runs():
    rng = np.random.default_rng(20)
    tokens = rng.integers(70, 130, size=(FOLDS, K)).astype(np.uint32)
    # Planted: (layer, neuron, language before, language after); -1 is none.
    planted = {}
    for n in range(30):
        layer = int(rng.integers(0, LAYERS))
        neuron = int(rng.choice([u for u in range(NEURONS) if (layer, u) not in planted]))
        before = n % K
        after = before if n < 14 else ((before + 1) % K if n < 19 else -1)
        planted[layer, neuron] = (before, after) if n < 24 else (-1, before)
    base_rate = rng.uniform(0.05, 0.6, size=(LAYERS, NEURONS))
    language_effect = rng.normal(0, 0.4, size=(LAYERS, K, NEURONS))
    item_effect = rng.normal(0, 0.7, size=(LAYERS, ITEMS, NEURONS))
    for name in RUNS:
        if name == "tuned-2":  # Later runs draw from a generator of their own, so that the first two stay as they are.
            rng = np.random.default_rng(21)
        side = 0 if name == "base" else 1
        if name == "rewarded":
            kept = sorted(planted)[:18]
            planted = {unit: planted[unit] if unit in kept else (planted[unit][0], -1) for unit in planted}
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "layers").mkdir(parents=True)
        for layer in range(LAYERS):
            odds = base_rate[layer] / (1 - base_rate[layer])
            p = 1 / (1 + np.exp(-np.log(odds)[None] - language_effect[layer]))
            x = 0.3 + item_effect[layer][:, None] + 0.5 * language_effect[layer][None]
            for (l, u), ends in planted.items():
                if l == layer and ends[side] >= 0:
                    p[:, u] = 0.02
                    p[ends[side], u] = 0.5 + 0.4 * rng.random()
                    x[:, ends[side], u] += 3
                    if u % 4 == 0:  # belongs to two languages
                        p[(ends[side] + 1) % K, u] = 0.7
            p[:, 7] = 0.0  # dead in both runs
            x = x + rng.normal(0, 0.5, size=x.shape)
            x[:, :, 8] = 0.25  # constant: no omega squared
            fire = rng.binomial(tokens[:, :, None], p[None]).astype(np.uint32)
            if layer == 2 and side == 1:
                fire[:, :, 9] = 0  # dies
            items = x.astype(np.float16)
            items[5, 2] = np.float16("nan")  # item 5 has no Japanese
            z = rng.normal(0, 1, size=(ITEMS, K, HEADS, HEAD_DIM))
            z += rng.normal(0, 0.3 + 0.3 * side, size=(1, K, HEADS, HEAD_DIM))
            z[5, 2] = np.nan
            norm = np.linalg.norm(z, axis=-1).astype(np.float32)
            norm_sum = np.stack([
                np.nansum(norm[np.arange(ITEMS) % FOLDS == g], axis=0) * (tokens[g][:, None] / (ITEMS / FOLDS)) for g in range(FOLDS)
            ])
            save_file(
                {
                    "mlp.fire": fire,
                    "mlp.sum": (fire * 0.5).astype(np.float64),
                    "mlp.sumsq": (fire * 0.25).astype(np.float64),
                    "mlp.items": items,
                    "head.norm.sum": norm_sum.astype(np.float64),
                    "head.norm.sumsq": (norm_sum**2).astype(np.float64),
                    "head.items": z.astype(np.float16),
                    "head.norm.items": norm,
                    "tokens": tokens,
                },
                folder / "layers" / f"{layer:02d}.safetensors",
            )
        (folder / "manifest.json").write_text(sealed(folder, manifest(name, tokens)))


class Run:
    """A unit type of a run as arrays over all layers: rates' numerators, denominators, pooled items."""

    def __init__(self, name, unit_type):
        layers = [load_file(OUT / name / "layers" / f"{layer:02d}.safetensors") for layer in range(LAYERS)]
        self.tokens = layers[0]["tokens"].astype(float)
        key, items = ("mlp.fire", "mlp.items") if unit_type == "neuron" else ("head.norm.sum", "head.norm.items")
        self.counts = np.concatenate([f[key].astype(float) for f in layers], axis=2)
        x = np.concatenate([f[items].astype(float) for f in layers], axis=2)
        complete = ~np.isnan(x).any(axis=(1, 2))
        self.items, self.fold = x[complete], (np.arange(ITEMS) % FOLDS)[complete]
        self.layer = np.repeat(np.arange(LAYERS), self.counts.shape[2] // LAYERS)

    def rates(self, folds):
        return self.counts[folds].sum(0) / self.tokens[folds].sum(0)[:, None]

    def entropy(self, folds, scope=ALL):
        p = self.rates(folds)[scope]
        dead = p.sum(0) == 0
        h = stats.entropy(np.where(dead, 1.0, p), axis=0)
        return np.where(dead, np.nan, h)

    def eta2_item(self, folds):
        x = self.items[np.isin(self.fold, folds)]
        grand = x.mean((0, 1))
        total = ((x - grand) ** 2).sum((0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = x.shape[1] * ((x.mean(1) - grand) ** 2).sum(0) / total
        return np.where(np.isclose(total, 0, atol=1e-12), np.nan, share)

    def omega2(self, folds, scope=ALL):
        x = self.items[np.isin(self.fold, folds)][:, scope]
        n, K = x.shape[:2]
        grand = x.mean((0, 1))
        total = ((x - grand) ** 2).sum((0, 1))
        language = n * ((x.mean(0) - grand) ** 2).sum(0)
        item = K * ((x.mean(1) - grand) ** 2).sum(0)
        ms_rest = (total - language - item) / ((n - 1) * (K - 1))
        constant = np.isclose(total, 0, atol=1e-12)
        with np.errstate(invalid="ignore", divide="ignore"):
            omega = (language - (K - 1) * ms_rest) / (total + ms_rest)
        return np.where(constant, np.nan, omega)


def reference_policy(run):
    """`tang2024`'s bar and the entropy of the last unit it takes."""
    folds = list(range(FOLDS))
    p, h = run.rates(folds), run.entropy(folds)
    bar = np.quantile(p, 0.95)
    eligible = (p > bar).any(0) & ~np.isnan(h)
    wanted = int(np.floor(FRACTION * h.size))
    cut = np.sort(h[eligible])[:wanted][-1]
    return cut, bar


def top_language(run, folds, policy, scope=ALL):
    """Index of the scope's language with the highest rate, -1 for a unit that is not selected or belongs to none of them."""
    cut, bar = policy
    p, h = run.rates(folds), run.entropy(folds)
    selected = (p > bar).any(0) & (np.nan_to_num(h, nan=np.inf) <= cut)
    belongs = selected & (p[scope] > bar).any(0)
    return np.where(belongs, np.array(scope)[p[scope].argmax(0)], -1)


def share(part, whole):
    return float(part / whole) if whole else float("nan")


def levels(run, folds, policy, scope=ALL):
    """The measures a run has by itself."""
    top = top_language(run, folds, policy, scope) >= 0
    several = len(scope) > 1
    return {
        "selected": float(top.sum()),
        "mean_lape": float(np.nanmean(run.entropy(folds, scope))) if several else float("nan"),
        "mean_omega2_language": float(np.nanmean(run.omega2(folds, scope))) if several else float("nan"),
        "mean_depth": share(run.layer[top].sum(), top.sum()),
    }


def measures(a, folds_a, b, folds_b, policy, scope=ALL):
    top_a, top_b = top_language(a, folds_a, policy, scope), top_language(b, folds_b, policy, scope)
    in_a, in_b = top_a >= 0, top_b >= 0
    cumulative = lambda inside: np.cumsum(np.bincount(a.layer[inside], minlength=LAYERS)) / inside.sum()
    of_a, of_b = levels(a, folds_a, policy, scope), levels(b, folds_b, policy, scope)
    with np.errstate(invalid="ignore"):
        depth = float(np.abs(cumulative(in_a) - cumulative(in_b)).max())
    return {
        **{name: of_b[name] - of_a[name] for name in of_a},
        "jaccard": share((in_a & in_b).sum(), (in_a | in_b).sum()),
        "language_kept": share((in_a & in_b & (top_a == top_b)).sum(), (in_a & in_b).sum()) if len(scope) > 1 else float("nan"),
        "depth_distance": depth,
    }


def jackknife(theta, left_out):
    """SE² = (G−1)/G Σ(θ₋g − mean)²; θ ± t_{G−1, 0.975} SE."""
    left_out = np.asarray(left_out)
    g = left_out.shape[0]
    se = np.sqrt((g - 1) / g * ((left_out - left_out.mean(0)) ** 2).sum(0))
    half = stats.t.ppf(0.975, g - 1) * se
    return se, theta - half, theta + half


def changed(score, a, b, most=np.inf):
    """Change of a score with its paired jackknife, the two-sided p of t = delta / SE with G - 1 degrees of freedom, and
    Benjamini-Hochberg's q of all that exist."""
    every = list(range(FOLDS))
    difference = lambda folds: score(b, folds) - score(a, folds)
    delta = difference(every)
    se, low, high = jackknife(delta, [difference([f for f in every if f != g]) for g in every])
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stats.t.sf(np.abs(delta) / se, FOLDS - 1)
    p = np.where((se == 0) & (delta == 0), 1.0, p)
    q = np.full(p.shape, np.nan)
    q[~np.isnan(p)] = stats.false_discovery_control(p[~np.isnan(p)])
    column = lambda values: [None if np.isnan(v) else float(v) for v in values]
    columns = {
        "delta": delta, "se": se, "low": np.maximum(low, -most), "high": np.minimum(high, most), "p": p, "q": q,
    }
    return {name: column(values) for name, values in columns.items()}


def expected(unit_type):
    a, b = Run("base", unit_type), Run("tuned", unit_type)
    policy = reference_policy(a)
    every = list(range(FOLDS))
    full = measures(a, every, b, every, policy)
    without = [[f for f in every if f != g] for g in every]
    left_out = [measures(a, f, b, f, policy) for f in without]
    change = {}
    for name, value in full.items():
        _, low, high = jackknife(value, [m[name] for m in left_out])
        if name in ("jaccard", "language_kept", "depth_distance"):
            low, high = max(low, 0), min(high, 1)
        change[name] = [value, float(low), float(high)]
    # Every way to halve the folds, by the bit mask of the first half.
    halves = {}
    for first in itertools.combinations(every, FOLDS // 2):
        second = [f for f in every if f not in first]
        mask = sum(1 << f for f in first)
        first = list(first)
        halves[mask] = {
            "withinA": measures(a, first, a, second, policy),
            "withinB": measures(b, first, b, second, policy),
            "across": measures(a, first, b, second, policy),
        }
    top_a, top_b = top_language(a, every, policy), top_language(b, every, policy)
    matrix = np.zeros((K + 1, K + 1), int)
    for p, q in zip(top_a, top_b):
        if p >= 0 or q >= 0:
            matrix[p, q] += 1  # -1 is the last row or column
    profiles = []
    for run, top in ((a, top_a), (b, top_b)):
        p, h, w = run.rates(every), run.entropy(every), run.omega2(every)
        belongs = (p > policy[1]) & (top >= 0)[None]
        profiles.append({
            "dead": int(np.isnan(h).sum()),
            "selected": int((top >= 0).sum()),
            "shared": int((belongs.sum(0) >= 2).sum()),
            "counts": [[int(belongs[k][run.layer == l].sum()) for k in range(K)] for l in range(LAYERS)],
            "selectedByLayer": [int((top[run.layer == l] >= 0).sum()) for l in range(LAYERS)],
            "meanLape": [float(np.nanmean(h[run.layer == l])) for l in range(LAYERS)],
            "meanOmega2Language": [float(np.nanmean(w[run.layer == l])) for l in range(LAYERS)],
        })
    changes = {
        "lape": changed(Run.entropy, a, b),
        "omega2": changed(Run.omega2, a, b),
        "eta2_item": changed(Run.eta2_item, a, b, most=1),
    }
    return {
        "policy": {"entropyCut": float(policy[0]), "bar": float(policy[1]), "fraction": FRACTION},
        "change": change,
        "halves": halves,
        "reallocation": matrix.tolist(),
        "profiles": profiles,
        "changes": changes,
    }


def regimes():
    """Over all languages and over groups: every run by itself, every pair over all folds, and how far each run is from
    the base over all folds, with each fold left out, and over each half of its folds."""
    runs = {name: Run(name, "neuron") for name in RUNS}
    base, every = runs["base"], list(range(FOLDS))
    policy = reference_policy(base)
    answers = {}
    for group, scope in {"all": ALL, **GROUPS}.items():
        own = {}
        for name in RUNS:
            full = levels(runs[name], every, policy, scope)
            left_out = [levels(runs[name], [f for f in every if f != g], policy, scope) for g in every]
            own[name] = {m: [v, *map(float, jackknife(v, [r[m] for r in left_out])[1:])] for m, v in full.items()}
        answers[group] = {
            "levels": own,
            "pairs": {
                f"{p} {q}": measures(runs[p], every, runs[q], every, policy, scope)
                for p, q in itertools.combinations(RUNS, 2)
            },
            "changes": {
                name: {
                    "full": measures(base, every, runs[name], every, policy, scope),
                    "leaveOneOut": [
                        measures(base, f, runs[name], f, policy, scope) for f in ([f for f in every if f != g] for g in every)
                    ],
                    "halves": {
                        sum(1 << f for f in half): measures(base, every, runs[name], list(half), policy, scope)
                        for half in itertools.combinations(every, FOLDS // 2)
                    },
                }
                for name in RUNS[1:]
            },
        }
    a, b = base, runs["tuned"]
    without = [[f for f in every if f != g] for g in every]

    def by_layer(of):
        values = lambda folds: np.array([of(b, folds)[b.layer == l].mean() - of(a, folds)[a.layer == l].mean() for l in range(LAYERS)])
        value = values(every)
        _, low, high = jackknife(value, [values(f) for f in without])
        return [value.tolist(), low.tolist(), high.tolist()]

    present = lambda of: lambda run, folds: np.ma.masked_invalid(of(run, folds))

    def by_language(run, folds):
        belongs = (run.rates(folds) > policy[1]) & (top_language(run, folds, policy) >= 0)
        return belongs.sum(1).astype(float)

    counts = by_language(b, every) - by_language(a, every)
    _, low, high = jackknife(counts, [by_language(b, f) - by_language(a, f) for f in without])
    parts = {
        "mean_lape": by_layer(present(Run.entropy)),
        "mean_omega2_language": by_layer(present(Run.omega2)),
        "selectedByLanguage": [counts.tolist(), low.tolist(), high.tolist()],
    }
    return {"groups": answers, "parts": parts}


def top_heads(values):
    """|top-n(a) & top-n(b)| / n of every two rows, n = 2 % of the columns."""
    n = max(1, round(0.02 * values.shape[1]))
    top = [set(np.argsort(-row, kind="stable")[:n].tolist()) for row in values]
    return [[len(p & q) / n for q in top] for p in top]


def head_overlaps():
    answers = {}
    for name in ("base", "tuned"):
        norms = Run(name, "head").rates(list(range(FOLDS)))
        contrast = norms - (norms.sum(0) - norms) / (K - 1)
        answers[name] = {"norm": top_heads(norms), "contrast": top_heads(contrast)}
    # More heads than the runs have, so that n is more than one.
    rng = np.random.default_rng(5)
    values = rng.normal(size=(4, 150)) + 1.5 * rng.normal(size=150)
    answers["drawn"] = {"values": values.tolist(), "overlap": top_heads(values)}
    return answers


def top_heads_kept(a, b, scope=ALL):
    """|top-n(a) & top-n(b)| / n of the same row of two arrays, mean over the scope's rows."""
    n = max(1, round(0.02 * a.shape[1]))
    top = lambda row: set(np.argsort(-row, kind="stable")[:n].tolist())
    return float(np.mean([len(top(a[k]) & top(b[k])) / n for k in scope]))


def same_language_top_heads():
    every = list(range(FOLDS))
    # The runs share no top head with each other, but each does with itself over other folds: by the mask of the first half.
    halves = {name: {} for name in RUNS}
    for name in RUNS:
        run = Run(name, "head")
        for first in itertools.combinations(every, FOLDS // 2):
            second = [f for f in every if f not in first]
            kept = top_heads_kept(run.rates(list(first)), run.rates(second))
            halves[name][sum(1 << f for f in first)] = kept
    # More heads than the runs have, so that n is more than one.
    rng = np.random.default_rng(6)
    first = rng.normal(size=(4, 150))
    second = first + 0.5 * rng.normal(size=(4, 150))
    drawn = {
        "first": first.tolist(),
        "second": second.tolist(),
        "kept": top_heads_kept(first, second, range(4)),
        "keptOfTwo": top_heads_kept(first, second, [0, 2]),
    }
    return {"halves": halves, "drawn": drawn}


def vector_share(run, folds, of="language"):
    """tr(S_language)/tr(S_total) of pooled hook_z, or tr(S_item)/tr(S_total), by head among all layers."""
    shares = []
    for layer in range(LAYERS):
        z = load_file(OUT / run / "layers" / f"{layer:02d}.safetensors")["head.items"].astype(float)
        z = z[~np.isnan(z).any(axis=(1, 2, 3)) & np.isin(np.arange(ITEMS) % FOLDS, folds)]
        grand = z.mean((0, 1))
        items, languages = z.shape[:2]
        between = {
            "language": items * ((z.mean(0) - grand) ** 2).sum((0, 2)),
            "item": languages * ((z.mean(1) - grand) ** 2).sum((0, 2)),
        }
        shares.append(between[of] / ((z - grand) ** 2).sum((0, 1, 3)))
    return np.concatenate(shares)


def head_map(name):
    """[layer][head] of LAPE over mean norms, omega squared of norms, and tr(S_language)/tr(S_total) of hook_z."""
    run, every = Run(name, "head"), list(range(FOLDS))
    grid = lambda values: values.reshape(LAYERS, HEADS).tolist()
    return {"lape": grid(run.entropy(every)), "omega2Language": grid(run.omega2(every)), "vectorShareLanguage": grid(vector_share(name, every))}


def shares(x):
    """Shares of variance of [item, language, unit] that changes.parquet has not, as one row each."""
    effects = make_scores.two_way(x)
    return {"eta2_language": effects["eta2Language"][None], "omega2_item": effects["omega2Item"][None]}


def score_changes():
    """Of every neuron in every language, base against tuned: [change, standard error, q] of each score. Item scores are
    those of make_scores.py (scikit-learn, NumPy), a fold's items left out in both runs."""
    make_scores.LANGUAGES = K
    fold = np.arange(ITEMS) % FOLDS
    every = list(range(FOLDS))
    subsets = [every, *([f for f in every if f != g] for g in every)]
    values = {}
    for name in ("base", "tuned"):
        files = [load_file(OUT / name / "layers" / f"{layer:02d}.safetensors") for layer in range(LAYERS)]
        x = np.concatenate([f["mlp.items"].astype(float) for f in files], axis=2)
        sums = np.concatenate([f["mlp.sum"] for f in files], axis=2)
        tokens = files[0]["tokens"].astype(float)
        present = ~np.isnan(x[:, :, 0])
        for folds in subsets:
            keep = present & np.isin(fold, folds)[:, None]
            means = sums[folds].sum(0) / tokens[folds].sum(0)[:, None]
            pairs = make_scores.overlap(x, keep, whole=present)
            own = {
                "mean": means,
                "contrast": make_scores.contrast(means),
                "ap": make_scores.average_precision(x, keep),
                "auroc": make_scores.auroc(x, keep),
                "selectivity": make_scores.selectivity(x, keep),
                "mi": make_scores.mutual_information(x, keep)[None],
                "overlap": (pairs.sum(1) - 1) / (K - 1),
                **shares(x[keep.all(1)]),
            }
            for score, value in own.items():
                values.setdefault(score, {}).setdefault(name, []).append(value)
    answers = {}
    for score, runs in values.items():
        delta, *left_out = (b - a for a, b in zip(runs["base"], runs["tuned"]))
        rounded = lambda part: [[None if np.isnan(v) else float(f"{v:.9g}") for v in row] for row in part]
        if score in ("mi", "overlap"):  # from half-samples, which are drawn: item_changes
            answers[score] = {"delta": rounded(delta)}
            continue
        se, _, _ = jackknife(delta, left_out)
        with np.errstate(invalid="ignore", divide="ignore"):
            p = 2 * stats.t.sf(np.abs(delta) / se, FOLDS - 1)
        p = np.where((se == 0) & (delta == 0), 1.0, p)
        q = np.full(p.shape, np.nan)
        q[~np.isnan(p)] = stats.false_discovery_control(p[~np.isnan(p)])
        answers[score] = {"delta": rounded(delta), "se": rounded(se), "q": rounded(q)}
    (OUT / "score-changes.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")


def item_changes():
    """Of some neurons, base against tuned: what a change of overlap and of mutual information varies by, from the halvings
    and permutations of make_scores.py. Overlap of a half in half the bins, between its own extremes."""
    make_scores.LANGUAGES = K
    units = list(range(0, 100, 7))
    fold = np.arange(ITEMS) % FOLDS
    x = {n: load_file(OUT / n / "layers" / "01.safetensors")["mlp.items"].astype(float)[:, :, units] for n in ("base", "tuned")}
    present = ~np.isnan(x["base"][:, :, 0])
    permutations = make_scores.permutations_of(present, 12)
    change = lambda of: of(x["tuned"]) - of(x["base"])

    def variance(of):
        half = lambda folds: change(lambda values: of(values, present & np.isin(fold, folds)[:, None]))
        return np.mean([(half(a) - half(b)) ** 2 for a, b in make_scores.HALVINGS], axis=0) / 4

    def overlaps(values, keep):
        pairs = make_scores.overlap(values, keep, 32)
        return np.concatenate([(pairs.sum(1) - 1) / (K - 1), make_scores.mean_overlap(pairs)[None]])

    null = np.array(
        [change(lambda values: make_scores.information(make_scores.prompts_of(values, present)[0], p)) for p in permutations]
    )
    mi = variance(make_scores.mutual_information)
    answers = {
        "units": units,
        "halvings": make_scores.HALVINGS,
        "permutations": [p.tolist() for p in permutations],
        "overlap": np.sqrt(variance(overlaps)).tolist(),
        "mi": np.sqrt(np.maximum(mi / 2, mi - null.var(0, ddof=1))).tolist(),
        "miShift": null.mean(0).tolist(),
    }
    (OUT / "item-changes.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")


def not_a_number(value):
    """JSON has no NaN: null, as in the files babelscope writes."""
    if isinstance(value, dict):
        return {key: not_a_number(v) for key, v in value.items()}
    if isinstance(value, list):
        return [not_a_number(v) for v in value]
    return None if isinstance(value, float) and np.isnan(value) else value


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write_runs()
    score_changes()
    item_changes()
    answers = {
        "numpy": np.__version__,
        "neuron": expected("neuron"),
        "regimes": regimes(),
        "headOverlaps": head_overlaps(),
        "sameLanguageTopHeads": same_language_top_heads(),
        "headChanges": {"vector_share_language": changed(vector_share, "base", "tuned", most=1)},
        "headScoreChanges": {
            "vector_share_item": changed(lambda run, folds: vector_share(run, folds, "item"), "base", "tuned", most=1)
        },
        "headMaps": {name: head_map(name) for name in ("base", "tuned")},
    }
    (OUT / "expected.json").write_text(json.dumps(not_a_number(answers), indent=1) + "\n")
