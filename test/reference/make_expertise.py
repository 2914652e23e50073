"""Makes test/fixtures/selfcond: expertise.csv as apple/ml-selfcond writes it, of two languages.

    pip install -r test/reference/requirements-interchange.txt
    python test/reference/make_expertise.py

A literal reading of `ExpertiseResult.build` and `export_as_pandas` in selfcond/expertise.py (commit c5e0921): layers in
order of name, scikit-learn's average precision, numpy's percentiles, float32.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

OUT = Path(__file__).parent.parent / "fixtures" / "selfcond"
OUT.mkdir(exist_ok=True)
rng = np.random.default_rng(20260203)
WIDTHS = {"mlp.c_fc": 60, "mlp.c_proj": 8, "attn.c_attn": 24}
SENTENCES, LAYERS = 40, 2

labels = np.arange(SENTENCES) % 2
for concept in ("en", "fr"):
    responses = {f"transformer.h.{layer}.{module}:0": rng.normal(size=(width, SENTENCES)) + 0.8 * labels * rng.random((width, 1))
                 for layer in range(LAYERS) for module, width in WIDTHS.items()}
    names = sorted(responses)
    df = pd.DataFrame()
    df["ap"] = np.concatenate([[average_precision_score(labels, unit) for unit in responses[r]] for r in names]).astype(np.float32)
    df["off_mean"] = np.concatenate([responses[r][:, labels != 1].mean(axis=1) for r in names]).astype(np.float32)
    for q in (50, 90):
        df[f"on_p{q}"] = np.concatenate([np.percentile(responses[r][:, labels == 1], q=q, axis=1) for r in names]).astype(np.float32)
    df["layer"] = np.concatenate([[r] * len(responses[r]) for r in names])
    df["unit"] = np.concatenate([range(len(responses[r])) for r in names]).astype(np.uint32)
    df["uuid"] = np.arange(len(df))
    df["concept"] = concept
    df["group"] = "language"
    df.to_csv(OUT / f"{concept}.csv", index=False)
