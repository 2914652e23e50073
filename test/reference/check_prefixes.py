"""Selects neurons by the rule of NJUNLP/Language-Neurons-Alignment in a run of its counts, and compares with its mask.

    babelscope import activations/mgsm/*.pt --format lape-counts --out <run>
    babelscope import activation_masks/mgsm/0.01-0.109375/mask.Mistral-… --format lape-mask \\
        --languages en,ru,es,fr,de,zh,ja,bn,th,sw --neurons 14336 --out <mask>
    python test/reference/check_prefixes.py <run> <mask>

Needs requirements-scores.txt, and that repository at commit f3d4d76. Its rule (identify.py): score = H / ln K − λ max p /
(H_K / K), H the entropy of rates over K languages (ln K where none fires), H_K the harmonic number, λ 0.109375; the 1 % of
lowest score; a neuron is of the languages whose rate exceeds the 95 % order statistic of all rates.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

run, mask = Path(sys.argv[1]), Path(sys.argv[2])
languages = json.loads((run / "manifest.json").read_text())["plan"]["languages"]
layers = [load_file(path) for path in sorted((run / "layers").glob("*.safetensors"))]
rates = np.stack([layer["mlp.fire"].sum(0) / layer["tokens"].sum(0)[:, None] for layer in layers]).transpose(0, 2, 1)
K = len(languages)
total = rates.sum(-1, keepdims=True)
normed = np.where(total > 0, rates / np.where(total > 0, total, 1), 1 / K)
entropy = -np.where(normed > 0, normed * np.log(np.where(normed > 0, normed, 1)), 0).sum(-1)
score = entropy / np.log(K) - 0.109375 * rates.max(-1) / (sum(1 / k for k in range(1, K + 1)) / K)
chosen = np.argsort(score.astype(np.float32).ravel(), kind="stable")[: round(0.01 * score.size)]
bar = np.sort(rates.ravel())[round(0.95 * rates.size) - 1]
ours = {
    (int(unit // rates.shape[1]), int(unit % rates.shape[1]), languages[k])
    for unit in chosen
    for k in np.flatnonzero(rates.reshape(-1, K)[unit] > bar)
}
units = pd.read_parquet(mask / "units.parquet")
theirs = {(row.layer, row.index_, tag) for row in units.rename(columns={"index": "index_"}).itertuples(index=False)
          for tag in row.selected_imported.split(",")}
neurons = lambda members: len({member[:2] for member in members})
print(f"neurons: {neurons(ours)} of the run, {neurons(theirs)} of the mask; memberships in both: {len(ours & theirs)} of {len(ours)} and {len(theirs)}")
