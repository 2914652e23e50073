"""Makes test/fixtures/stats/statsmodels.json: analyses of variance and q-values by statsmodels.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_statsmodels.py

Sums of squares of x ~ item + language by statsmodels' anova_lm on its least-squares fit, of pooled values of
test/fixtures/scores on the items that every language has; q-values of the F tests of language and of the p-values in
multiple-testing.json by its multipletests.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels
import statsmodels.formula.api as smf
from safetensors.numpy import load_file
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

FIXTURES = Path(__file__).parent.parent / "fixtures"
NEURONS = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11]  # 6 is constant, 8 is language and nothing else


def anova(x):
    """x [item, language]."""
    items, languages = x.shape
    frame = pd.DataFrame(
        {"x": x.ravel(), "item": np.repeat(np.arange(items), languages), "language": np.tile(np.arange(languages), items)}
    )
    table = anova_lm(smf.ols("x ~ C(item) + C(language)", frame).fit(), typ=2)
    squares, freedom = table["sum_sq"], table["df"]
    return {
        "item": squares["C(item)"],
        "language": squares["C(language)"],
        "rest": squares["Residual"],
        "freedom": [freedom["C(item)"], freedom["C(language)"], freedom["Residual"]],
        "p": table["PR(>F)"]["C(language)"],
    }


def main():
    layers = []
    for layer in range(2):
        x = load_file(FIXTURES / "scores" / f"layer-{layer}.safetensors")["mlp.items"].astype(np.float64)
        complete = x[~np.isnan(x).any((1, 2))]
        layers.append([anova(complete[:, :, neuron]) for neuron in NEURONS])
    cases = json.loads((FIXTURES / "stats" / "multiple-testing.json").read_text())["benjaminiHochberg"]
    p_values = [case["p"] for case in cases] + [[row["p"] for layer in layers for row in layer]]
    answers = {
        "statsmodels": statsmodels.__version__,
        "neurons": NEURONS,
        "anova": layers,
        "benjaminiHochberg": [{"p": p, "q": multipletests(p, method="fdr_bh")[1].tolist()} for p in p_values],
    }
    (FIXTURES / "stats" / "statsmodels.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")


main()
