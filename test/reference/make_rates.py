"""LAPE of the rates in test/fixtures/pytorch/rates by SciPy, without torch: a .pt file is a zip of raw storages.

pip install numpy scipy; python test/reference/make_rates.py
"""

import json
import zipfile
from pathlib import Path

import numpy as np
from scipy.stats import entropy

FOLDER = Path(__file__).parent.parent / "fixtures" / "pytorch" / "rates"


def rates(name: str) -> np.ndarray:
    """The second tensor saved, mlp_over_threshold_rate: float32 [layer, neuron]."""
    with zipfile.ZipFile(FOLDER / name) as archive:
        storage = next(each for each in archive.namelist() if each.endswith("data/1"))
        return np.frombuffer(archive.read(storage), "<f4").astype(np.float64)


both = np.stack([rates("eng_Latn_act.pt"), rates("slk_Latn_act.pt")])
(FOLDER / "lape.json").write_text(json.dumps({"rates": both.tolist(), "lape": entropy(both, axis=0).tolist()}, indent=1) + "\n")
