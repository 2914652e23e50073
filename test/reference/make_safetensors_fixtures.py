"""Files written by the reference implementation, to read and to compare our own bytes with.

Run by hand: python test/reference/make_safetensors_fixtures.py
Needs: safetensors==0.8.0 numpy==2.4.6 torch==2.9.1
"""

from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

assert safetensors.__version__ == "0.8.0", safetensors.__version__
OUT = Path(__file__).parent.parent / "fixtures" / "safetensors"
OUT.mkdir(parents=True, exist_ok=True)

# Every type babelscope writes, names that sort against their types, an empty and a scalar array.
save_file(
    {
        "zeta.u8": np.arange(5, dtype=np.uint8),
        "mlp.fire": np.arange(12, dtype=np.uint32).reshape(2, 2, 3),
        "mlp.sum": np.linspace(-1, 1, 12).reshape(2, 2, 3),
        "mlp.items": np.array([[0.1, -65504, np.nan], [np.inf, 6e-8, 1.0009765625]], dtype=np.float16),
        "head.norm.items": np.array([0.1, np.nan, -np.inf, 3.4e38], dtype=np.float32),
        "steps": np.array([-1, 2**62], dtype=np.int64),
        "offsets": np.array([-5, 5], dtype=np.int32),
        "codes": np.array([65535, 1], dtype=np.uint16),
        "leer.größe": np.zeros((0, 4), dtype=np.float32),
        "scalar": np.array(2.5, dtype=np.float64),
    },
    OUT / "arrays.safetensors",
    metadata={"planSha256": "abc"},
)

save_torch(
    {
        "model.embed_tokens.weight": torch.arange(6, dtype=torch.bfloat16).reshape(3, 2),
        "model.norm.weight": torch.ones(2, dtype=torch.float16),
        "model.layers.0.mlp.up_proj.weight": torch.full((4, 2), 0.5, dtype=torch.float32),
        "position_ids": torch.arange(3),
        "quantised.weight": torch.zeros(2, 2, dtype=torch.float8_e4m3fn),
    },
    OUT / "model.safetensors",
    metadata={"format": "pt"},
)
