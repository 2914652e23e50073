"""Makes test/fixtures/scores/experts: arrays of a small run of a mixture of experts, and its scores.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_expert_scores.py

Three layers: the first dense, then two with six experts, two a token, and neurons that every token passes. Tokens are
drawn one by one and sent to experts; everything else follows from the choices. Experts are scored with SciPy and
scikit-learn by the functions of make_scores.py; a neuron of an expert is averaged over the tokens routed to its expert,
looked up token by token.
"""

import json

import numpy as np
from safetensors.numpy import save_file
from scipy import stats

from make_scores import (
    FOLDS, ITEMS, LANGUAGES, OUT, average_precision, clean, contrast, fold_jackknife, fold_lape, fold_of, fold_tokens,
    item_scores, lape_of, missing, rates_of, two_way,
)

FOLDER = OUT / "experts"
EXPERTS, PER_TOKEN, WIDTH, SHARED, DENSE, HEADS, LAYERS = 6, 2, 5, 3, 7, 2, 3
NEURONS = EXPERTS * WIDTH + SHARED
NEVER, NOT_IN_2, ONCE_IN_1 = 5, 4, 3
everything = np.arange(FOLDS)


def choices(rng, tokens):
    """Of every token of a fold and language its experts: [fold][language] -> [token, PER_TOKEN]."""
    liking = rng.gamma(0.7, 1, (LANGUAGES, EXPERTS)) + 0.05
    liking[:, NEVER] = 0
    liking[2, NOT_IN_2] = 0
    liking[1, ONCE_IN_1] = 0
    drawn = [
        [np.array([rng.choice(EXPERTS, PER_TOKEN, replace=False, p=liking[k] / liking[k].sum()) for _ in range(tokens[f, k])])
         for k in range(LANGUAGES)]
        for f in range(FOLDS)
    ]
    # A language that reaches an expert in one fold alone.
    drawn[3][1][0] = [ONCE_IN_1, 0]
    return drawn


def make_layer(rng, tokens, experts):
    width = NEURONS if experts else DENSE
    fire = np.zeros((FOLDS, LANGUAGES, width), np.uint32)
    total = np.zeros((FOLDS, LANGUAGES, width))
    count = np.zeros((FOLDS, LANGUAGES, EXPERTS), np.uint32)
    rate = rng.beta(0.4, 1.5, (LANGUAGES, width))
    rate[:, 0] = 0  # never fires, though tokens reach it
    chosen = choices(rng, tokens) if experts else None
    for f in range(FOLDS):
        for k in range(LANGUAGES):
            for t in range(tokens[f, k]):
                seen = np.ones(width, bool)
                if experts:
                    own = chosen[f][k][t]
                    count[f, k, own] += 1
                    seen[: EXPERTS * WIDTH] = np.isin(np.arange(EXPERTS * WIDTH) // WIDTH, own)
                post = rng.normal(size=width)
                fire[f, k] += seen & (rng.random(width) < rate[k])
                total[f, k] += np.where(seen, post, 0)
    norms = rng.gamma(2, 1, (FOLDS, LANGUAGES, HEADS)) * tokens[:, :, None]
    items = np.abs(rng.normal(2, 1, (ITEMS, LANGUAGES, HEADS)))
    items[missing] = np.nan
    arrays = {
        "tokens": tokens, "mlp.fire": fire, "mlp.sum": total, "head.norm.sum": norms,
        "head.norm.items": items.astype(np.float32),
    }
    if experts:
        probabilities = rng.dirichlet(np.full(EXPERTS, 0.8), (ITEMS, LANGUAGES))
        probabilities[:, :, 2] *= np.array([1, 0.4, 0.4, 0.4])
        probabilities[:, :, 0] = np.round(probabilities[:, :, 0], 1)
        probabilities[missing] = np.nan
        mass = rng.dirichlet(np.ones(EXPERTS), (FOLDS, LANGUAGES)) * tokens[:, :, None]
        arrays |= {"expert.count": count, "expert.prob.sum": mass, "expert.prob.items": probabilities.astype(np.float32)}
    return arrays


def rates_by_unit(sums, seen, folds):
    """Sums over the tokens each unit saw; both [fold, language, unit]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[folds].sum(0) / seen[folds].sum(0)


def exclusivity(frequencies):
    with np.errstate(invalid="ignore"):
        return frequencies.max(0) / frequencies.sum(0)


def interval(compute, low, high):
    value = compute(everything)
    spread = fold_jackknife(compute, low, high)
    return {"value": value, **spread}


def exclusivity_interval(frequency):
    """Of the maximum over the languages that do not differ from the highest at 1 %, Bonferroni below."""
    with np.errstate(invalid="ignore"):
        share = lambda folds: frequency(folds) / frequency(folds).sum(0)
        own = interval(lambda folds: exclusivity(frequency(folds)), 1 / LANGUAGES, 1)
    shares, t = share(everything), lambda tail: stats.t.ppf(1 - tail, FOLDS - 1)
    errors = fold_jackknife(share)["se"]
    for u in np.flatnonzero(~np.isnan(own["se"])):
        best = shares[:, u].argmax()
        gap_errors = fold_jackknife(lambda folds: share(folds)[best, u] - share(folds)[:, u])["se"]
        contenders = shares[best, u] - shares[:, u] <= t(0.005) * gap_errors
        lower = t(0.05 / max(2, contenders.sum()))
        own["low"][u] = max(1 / LANGUAGES, (shares[:, u] - lower * errors[:, u])[contenders].max())
        own["high"][u] = min(1, (shares[:, u] + t(0.025) * errors[:, u])[contenders].max())
    return own


def score_neurons(layer, tokens, experts):
    if experts:
        routed = np.repeat(layer["expert.count"], WIDTH, axis=2)
        seen = np.concatenate([routed, np.repeat(tokens[:, :, None], SHARED, axis=2)], axis=2)
    else:
        seen = np.repeat(tokens[:, :, None], DENSE, axis=2)
    fire = lambda folds: rates_by_unit(layer["mlp.fire"], seen, folds)
    mean = lambda folds: rates_by_unit(layer["mlp.sum"], seen, folds)
    return {
        "rate": interval(fire, 0, 1),
        "lape": fold_lape(lambda folds: lape_of(fire(folds))),
        "mean": interval(mean, -np.inf, np.inf),
        "contrast": interval(lambda folds: contrast(mean(folds)), -np.inf, np.inf),
    }


def score_experts(layer, tokens):
    frequency = lambda folds: rates_of(layer["expert.count"], tokens, folds)
    items = layer["expert.prob.items"].astype(np.float64)
    complete = np.flatnonzero(~missing.any(1))
    scores = item_scores(items, ~missing, fold_of, complete)
    return {
        "rate": interval(frequency, 0, 1),
        "lape": fold_lape(lambda folds: lape_of(frequency(folds))),
        "exclusivity": exclusivity_interval(frequency),
        "mean": interval(lambda folds: rates_of(layer["expert.prob.sum"], tokens, folds), 0, 1),
        "ap": average_precision(items, ~missing),
        **{name: scores[name] for name in ("auroc", "selectivity", "mi", "overlap", "overlapMean")},
        **two_way(items[complete]),
    }


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20260102)
    tokens = fold_tokens()
    expected = []
    rates, entropies = [], []
    for index in range(LAYERS):
        layer = make_layer(rng, tokens, index > 0)
        save_file(layer, FOLDER / f"layer-{index}.safetensors")
        neuron = score_neurons(layer, tokens, index > 0)
        expected.append({"neuron": neuron, "expert": score_experts(layer, tokens) if index > 0 else None})
        rates.append(neuron["rate"]["value"].T)
        entropies.append(neuron["lape"]["value"])
    rates, entropies = np.concatenate(rates), np.concatenate(entropies)
    # A rate that does not exist is no rate: percentiles are of those that do.
    bar = np.nanpercentile(rates, 95)
    fraction = 0.05
    candidates = [u for u in range(len(rates)) if (rates[u] > bar).any() and not np.isnan(entropies[u])]
    chosen = sorted(candidates, key=lambda u: entropies[u])[: round(len(rates) * fraction)]
    value = {
        "layers": LAYERS, "experts": EXPERTS, "perToken": PER_TOKEN, "width": WIDTH, "shared": SHARED, "dense": DENSE,
        "heads": HEADS, "never": NEVER, "notInLanguage2": NOT_IN_2, "onceInLanguage1": ONCE_IN_1,
        "expected": expected,
        "tang2024": {"fraction": fraction, "bar": bar, "members": [[u, [k for k in range(LANGUAGES) if rates[u, k] > bar]] for u in sorted(chosen)]},
    }
    (FOLDER / "run.json").write_text(json.dumps(clean(value), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
