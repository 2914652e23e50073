"""Opens the tables of a scored run, and of a comparison, with pandas and the arrays beside them with safetensors.

    pip install -r test/reference/requirements-scores.txt
    babelscope capture <checkpoint> --probes <set> --hooks hook_resid_post --out <run>
    babelscope score <run>
    babelscope compare <run> <another> --changes full --out <comparison>
    python test/reference/check_tables.py <run> [<comparison>]

Checks what a reader relies on: documented columns and types, keys, nulls
instead of infinities, and numbers that follow from the arrays (firing rates) or from each other (best average precision).
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from safetensors.numpy import load_file
from sklearn.metrics.pairwise import cosine_similarity

run = Path(sys.argv[1])
manifest = json.loads((run / "manifest.json").read_text())
tags = manifest["plan"]["languages"]
units = pd.read_parquet(run / "units.parquet")
languages = pd.read_parquet(run / "unit_languages.parquet")

for name, table in (("units", units), ("unit_languages", languages)):
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(run / f"{name}.parquet").metadata.items()}
    assert metadata["schema"] == f"babelscope/{name}" and int(metadata["schema_version"]) == 3
    assert list(json.loads(metadata["columns"])) == list(table.columns)
    numbers = table.select_dtypes("number")
    assert not np.isinf(numbers.to_numpy()).any()

keys = ["type", "layer", "index"]
assert not units.duplicated(keys).any()
assert not languages.duplicated([*keys, "language"]).any()
assert len(languages) == len(units) * len(tags)

for layer in range(manifest["shape"]["layers"]):
    arrays = load_file(run / "layers" / f"{layer:02}.safetensors")
    rate = arrays["mlp.fire"].sum(0) / arrays["tokens"].sum(0)[:, None]
    own = languages[(languages.type == "neuron") & (languages.layer == layer)]
    found = own.pivot(index="index", columns="language", values="rate")[tags].to_numpy().T
    np.testing.assert_allclose(found, rate, rtol=1e-12)

best = languages.groupby(keys).ap.max().reindex(pd.MultiIndex.from_frame(units[keys]))
np.testing.assert_array_equal(best.to_numpy(), units.ap_best.to_numpy())
for name in ("lape", "omega2_language"):
    known = units.dropna(subset=[name, f"{name}_low"])
    assert ((known[f"{name}_low"] <= known[name] + 1e-6) & (known[name] <= known[f"{name}_high"] + 1e-6)).all()
print(f"{len(units)} units, {len(languages)} rows a language, {len(units.columns)} + {len(languages.columns)} columns: as documented")

if (run / "alignment.parquet").exists():
    aligned = pd.read_parquet(run / "alignment.parquet")
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(run / "alignment.parquet").metadata.items()}
    assert metadata["schema"] == "babelscope/alignment" and list(json.loads(metadata["columns"])) == list(aligned.columns)
    layers, pairs = manifest["shape"]["layers"], list(itertools.combinations(tags, 2))
    assert list(zip(aligned.layer, aligned.language_a, aligned.language_b)) == [(l, *pair) for l in range(layers) for pair in pairs]
    np.testing.assert_allclose(aligned.margin, aligned.cosine_same - aligned.cosine_different, atol=1e-12)
    for row in aligned.itertuples():
        stream = load_file(run / "layers" / f"{row.layer:02}.safetensors")["resid.items"].astype(float)
        a, b = (stream[:, tags.index(tag)] for tag in (row.language_a, row.language_b))
        kept = ~np.isnan(a).any(1) & ~np.isnan(b).any(1) & a.any(1) & b.any(1)
        cosines = cosine_similarity(a[kept], b[kept])
        own = np.diag(cosines).copy()[:, None]
        np.fill_diagonal(cosines, -np.inf)
        mexa = ((own > cosines).all(1) & (own > cosines.T).all(1)).mean()
        assert row.items == kept.sum()
        np.testing.assert_allclose([row.cosine_same, row.mexa], [own.mean(), mexa], atol=1e-6)
        assert row.margin_low <= row.margin <= row.margin_high and row.mexa_low <= row.mexa <= row.mexa_high
    print(f"{len(aligned)} rows of alignment: cosines and MEXA as scikit-learn has them")

if len(sys.argv) > 2:
    folder = Path(sys.argv[2])
    comparison = json.loads((folder / "comparison.json").read_text())
    assert comparison["schema"] == "babelscope/comparison"
    docs = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
    table = pd.read_parquet(folder / "changes.parquet")
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(folder / "changes.parquet").metadata.items()}
    assert metadata["schema"] == "babelscope/changes"
    assert json.loads(metadata["languages"]) == comparison["runs"][0]["languages"]
    rows = docs.split("<!-- columns changes -->")[1].split("<!-- end -->")[0].splitlines()
    assert list(table.columns) == [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert not np.isinf(table.select_dtypes("number").to_numpy()).any()
    assert set(table.label) == {run["label"] for run in comparison["runs"][1:]}
    known = table.dropna(subset=["change"])
    np.testing.assert_allclose(known.change, known.other - known.reference, atol=1e-9)
    known = known.dropna(subset=["p"])
    assert ((known.q >= known.p - 1e-9) & (known.p > 0)).all()
    known = known.query("score != 'mi'")  # the interval of mutual information has a centre of its own
    assert ((known.low <= known.change + 1e-6) & (known.change <= known.high + 1e-6)).all()
    reference = pd.merge(table.query("score == 'ap'"), languages, on=[*keys, "language"])
    np.testing.assert_allclose(reference["reference"], reference.ap, rtol=1e-9)
    print(f"{len(table)} rows of changes: as documented, average precision as in the run's tables")
