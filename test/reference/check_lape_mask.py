"""Sets the selection of a run of imported counts beside that of the released identify.py, at LLaMA-2-7B's size.

    python test/reference/check_lape_mask.py make <folder> [seed]
    babelscope import <folder>/*.pt --format lape-counts --out <folder>/run
    babelscope score <folder>/run
    babelscope export <folder>/run --format lape-mask --out <folder>/mask.pt
    python test/reference/check_lape_mask.py check <folder>

Needs requirements-interchange.txt. Counts are simulated: four shards of 25 million tokens in each of seven languages. `check` is
identify.py of RUCAIBox/Language-Specific-Neurons (commit fdecc8d) in float32, as it stands, on the sum of the shards.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

LANGUAGES, LAYERS, NEURONS, SHARDS, TOKENS = ["en", "zh", "fr", "es", "vi", "id", "ja"], 32, 11008, 4, 24_999_936
mode, folder = sys.argv[1], Path(sys.argv[2])


def file(language, shard):
    return folder / f"activation.{language}.{shard}.pt"


if mode == "make":
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    base = rng.beta(0.5, 2.0, (LAYERS, NEURONS))
    for language in LANGUAGES:
        rate = np.clip(base * rng.lognormal(0, 0.6, base.shape), 0, 1)
        for shard in range(SHARDS):
            over_zero = torch.tensor(rng.binomial(TOKENS, rate), dtype=torch.int32)
            torch.save(dict(n=TOKENS, over_zero=over_zero), file(language, shard))
else:
    languages = json.loads((folder / "mask.pt.json").read_text())["languages"]
    shards = {language: [torch.load(file(language, shard)) for shard in range(SHARDS)] for language in languages}
    n = torch.tensor([sum(data["n"] for data in shards[language]) for language in languages])
    over_zero = torch.stack([sum(data["over_zero"].long() for data in shards[language]) for language in languages], dim=-1)
    activation_probs = over_zero / n
    normed = activation_probs / activation_probs.sum(dim=-1, keepdim=True)
    normed[torch.isnan(normed)] = 0
    entropy = -torch.sum(normed * torch.where(normed > 0, normed.log(), 0), dim=-1)
    flattened_probs = activation_probs.flatten()
    bar = flattened_probs.kthvalue(round(len(flattened_probs) * 0.95)).values.item()
    entropy[(activation_probs > bar).sum(dim=-1) == 0] = torch.inf
    flattened_entropy = entropy.flatten()
    _, index = flattened_entropy.topk(round(len(flattened_entropy) * 0.01), largest=False)
    row, column = index // entropy.size(1), index % entropy.size(1)
    lang, indice = torch.where(activation_probs[row, column].T > bar)
    mask = torch.load(folder / "mask.pt", weights_only=True)
    for k, language in enumerate(languages):
        theirs = {(row[i].item(), column[i].item()) for i in indice[lang == k].tolist()}
        ours = {(layer, neuron) for layer, indices in enumerate(mask[k]) for neuron in indices.tolist()}
        print(f"{language}: {len(theirs)} and {len(ours)} neurons, {len(theirs ^ ours)} in one alone")
