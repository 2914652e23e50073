"""Opens the tables of a scored run, and of a comparison, with pandas and the arrays beside them with safetensors.

    pip install -r test/reference/requirements-scores.txt
    babelscope score <run>
    babelscope compare <run> <another> --changes full --out <comparison>
    python test/reference/check_tables.py <run> [<comparison>]

Checks what a reader relies on: documented columns and types, keys, nulls
instead of infinities, and numbers that follow from the arrays (firing rates) or from each other (best average precision).
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from safetensors.numpy import load_file

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

if len(sys.argv) > 2:
    folder = Path(sys.argv[2])
    comparison = json.loads((folder / "comparison.json").read_text())
    assert comparison["schema"] == "babelscope/comparison"
    docs = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
    sizes = {}
    for name in ("changes", "score_changes"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        metadata = {key.decode(): value.decode() for key, value in pq.read_schema(folder / f"{name}.parquet").metadata.items()}
        assert metadata["schema"] == f"babelscope/{name}"
        assert json.loads(metadata["languages"]) == comparison["runs"][0]["languages"]
        rows = docs.split(f"<!-- columns {name} -->")[1].split("<!-- end -->")[0].splitlines()
        assert list(table.columns) == [row.split("`")[1] for row in rows if row.startswith("| `")]
        assert not np.isinf(table.select_dtypes("number").to_numpy()).any()
        assert set(table.label) == {run["label"] for run in comparison["runs"][1:]}
        sizes[name] = len(table)
        own = table if name == "score_changes" else table.rename(columns=lambda column: column.replace("delta_lape_", "").replace("delta_lape", "delta").replace("lape_", ""))
        known = own.dropna(subset=["delta"])
        np.testing.assert_allclose(known.delta, known.other - known.reference, atol=1e-9)
        known = known.dropna(subset=["p"])
        assert ((known.low <= known.delta + 1e-6) & (known.delta <= known.high + 1e-6) & (known.q >= known.p - 1e-9) & (known.p > 0)).all()
    reference = pd.merge(
        pd.read_parquet(folder / "score_changes.parquet").query("score == 'ap'"), languages, on=[*keys, "language"]
    )
    np.testing.assert_allclose(reference["reference"], reference.ap, rtol=1e-9)
    print(f"{sizes['changes']} rows of changes, {sizes['score_changes']} of changes of scores: as documented, average precision as in the run's tables")
