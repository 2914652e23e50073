"""Opens what `babelscope export` wrote with torch.load, pandas and safetensors.

    babelscope export <run> --format csv --out <folder>/csv
    babelscope export <run> --format lape-mask --out <folder>/mask.pt
    babelscope export <run> --format transformer-lens --out <folder>/lens.safetensors
    python test/reference/check_exports.py <run> <folder>

Needs requirements-interchange.txt. Checks that the mask loads without arbitrary code and
holds the units of units.parquet, that the CSV gives the same tables as the parquet files, and that the dictionary has
TransformerLens's names and shapes and the values of the run.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

run, out = Path(sys.argv[1]), Path(sys.argv[2])
manifest = json.loads((run / "manifest.json").read_text())
tags, shape = manifest["plan"]["languages"], manifest["shape"]
units = pd.read_parquet(run / "units.parquet")

mask = torch.load(out / "mask.pt", weights_only=True)
description = json.loads((out / "mask.pt.json").read_text())
assert description["languages"] == tags and len(mask) == len(tags)
neurons = units[units.type == "neuron"]
for tag, of_language in zip(tags, mask):
    assert len(of_language) == shape["layers"]
    for layer, indices in enumerate(of_language):
        assert indices.dtype == torch.int64 and indices.dim() == 1
        own = neurons[(neurons.layer == layer) & neurons.selected_tang2024.str.split(",").map(lambda s: tag in s)]
        assert indices.tolist() == own["index"].tolist()
    # What generation.py does with one.
    torch.zeros(1, 1, shape["dMlp"]).index_fill_(2, of_language[0], 0)

for name in ("units", "unit_languages"):
    expected = pd.read_parquet(run / f"{name}.parquet")
    found = pd.read_csv(out / "csv" / f"{name}.csv", keep_default_na=False, na_values=[""], dtype={
        column: "float64" for column in expected.select_dtypes("float64").columns})
    text = expected.select_dtypes(exclude="number").columns
    expected[text] = expected[text].astype(object).where(lambda frame: frame.notna() & (frame != ""), None)
    found[text] = found[text].astype(object).where(lambda frame: frame.notna(), None)
    # A column without a value has no type in a CSV file.
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)
    raw = (out / "csv" / f"{name}.csv").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == len(expected) + 1

lens = load_file(out / "lens.safetensors")
with safe_open(out / "lens.safetensors", "numpy") as file:
    metadata = file.metadata()
items, languages = json.loads(metadata["items"]), json.loads(metadata["languages"])
assert languages == tags and items == [item["id"] for item in manifest["plan"]["items"]]
prompts = len(items) * len(tags)
for layer in range(shape["layers"]):
    arrays = load_file(run / "layers" / f"{layer:02}.safetensors")
    post, z = lens[f"blocks.{layer}.mlp.hook_post"], lens[f"blocks.{layer}.attn.hook_z"]
    assert post.shape == (prompts, shape["dMlp"]) and z.shape == (prompts, shape["heads"], shape["headDim"])
    row = 3 * len(tags) + 1  # the fourth item in the second language
    np.testing.assert_array_equal(post[row], arrays["mlp.items"][3, 1])
    np.testing.assert_array_equal(z[row], arrays["head.items"][3, 1])
print(f"mask of {sum(len(i) for l in mask for i in l)} neurons, {len(units)} units as CSV, {len(lens)} arrays: as documented")
