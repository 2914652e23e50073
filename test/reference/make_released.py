"""Makes test/fixtures/released: small files in the layouts that other groups released, and what follows from them.

    pip install -r test/reference/requirements-scores.txt
    python test/reference/make_released.py

The numbers are drawn here. Layouts are of activation.py of NJUNLP/Language-Neurons-Alignment (commit f3d4d76; counts of
whole texts and of prefixes), attn_matrix.py and lan_head_mask.py of Linuxin-xxx/LAHIS (3b84cc3; importances and trained
masks) and ppl/ of LyzanderAndrylie/language-specific-features (e9716a1; perplexities of each sentence). Python's pickle
writes what torch.save does, protocol 2 in a zip, so PyTorch itself is not needed.
"""

import io
import json
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent.parent / "fixtures" / "released"
OUT.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(20260301)

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})


def stand_in(module, name):
    """Something that pickle writes as `module.name`."""
    made = type(name, (), {"__module__": module.__name__})
    setattr(module, name, made)
    return made


REBUILD, PARAMETER = stand_in(utils, "_rebuild_tensor_v2"), stand_in(utils, "_rebuild_parameter")
STORAGES = {dtype: stand_in(torch, name) for dtype, name in
            (("<i8", "LongStorage"), ("<f4", "FloatStorage"), ("bf16", "BFloat16Storage"))}


class Storage:
    def __init__(self, dtype, data):
        self.dtype, self.data = dtype, data


class Tensor:
    def __init__(self, values, dtype, parameter=False):
        self.values, self.dtype, self.parameter = np.asarray(values), dtype, parameter

    def __reduce__(self):
        if self.parameter:
            return PARAMETER, (Tensor(self.values, self.dtype), True, OrderedDict())
        if self.dtype == "bf16":
            data = (self.values.astype("<f4").view("<u4") >> 16).astype("<u2")
        else:
            data = self.values.astype(self.dtype)
        shape = self.values.shape
        strides = tuple(int(np.prod(shape[axis + 1:])) for axis in range(len(shape)))
        return REBUILD, (Storage(self.dtype, data), 0, shape, strides, False, OrderedDict())


def save(name, value):
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, given):
            if not isinstance(given, Storage):
                return None
            storages.append(given.data.tobytes())
            return ("storage", STORAGES[given.dtype], str(len(storages) - 1), "cpu", given.data.size)

    stream = io.BytesIO()
    Pickler(stream, protocol=2).dump(value)
    with zipfile.ZipFile(OUT / name, "w", zipfile.ZIP_STORED) as archive:
        def write(path, content):
            archive.writestr(zipfile.ZipInfo(f"archive/{path}", (1980, 1, 1, 0, 0, 0)), content)
        write("data.pkl", stream.getvalue())
        write("byteorder", "little")
        for key, content in enumerate(storages):
            write(f"data/{key}", content)
        write("version", "3\n")


expected = {"prefix": {"tokens": {}, "rates": {}, "negative": 0, "beyond": 0}}
LAYERS, NEURONS = 2, 6
for language, tokens, before in (("en", 500, 180), ("zh", 640, 300)):
    rate = rng.beta(0.5, 2.0, (LAYERS, NEURONS))
    prefix = rng.binomial(before, rate)
    whole = prefix + rng.binomial(tokens - before, rate)
    prefix[0, 0], whole[0, 0] = 9, 8  # fires less in the whole
    prefix[1, 2], whole[1, 2] = 1, tokens - before + 3  # fires more often than there are tokens left
    save(f"activation.{language}.Tiny.pt", {"total_tokens": tokens, "over_zero": Tensor(whole, "<i8")})
    save(f"prefix.activation.{language}.Tiny.pt", {"total_tokens": before, "over_zero": Tensor(prefix, "<i8")})
    left = whole - prefix
    expected["prefix"]["tokens"][language] = tokens - before
    expected["prefix"]["rates"][language] = (np.clip(left, 0, tokens - before) / (tokens - before)).tolist()
    expected["prefix"]["negative"] += int((left < 0).sum())
    expected["prefix"]["beyond"] += int((left > tokens - before).sum())

HEADS = (4, 8)
for language in ("en", "sw"):
    importances = rng.lognormal(1.0, 1.2, HEADS).astype("<f4")
    importances[2, 3] = -0.2
    importances[1, 5] = 60
    save(f"tiny_{language}.pth", Tensor(importances, "<f4"))
masks = {
    "gates": Tensor((1 / (1 + np.exp(-3 * rng.normal(size=HEADS)))).astype("<f4"), "<f4"),
    "sparse-gates": Tensor((rng.random(HEADS) ** 8).astype("<f4"), "<f4"),
    "logits": Tensor((2 * rng.normal(size=HEADS)).astype("<f4"), "<f4"),
    "multipliers": Tensor((1 + 0.15 * rng.normal(size=HEADS)).astype("<f4"), "bf16", parameter=True),
}
expected["above"] = {}
for name, mask in masks.items():
    save(f"{name}_en.pth", mask)
    values = mask.values if mask.dtype != "bf16" else (mask.values.view("<u4") >> 16 << 16).view("<f4")
    threshold = {"gates": 0.5, "sparse-gates": 0.5, "logits": 0, "multipliers": 1}[name]
    expected["above"][name] = {"threshold": threshold, "heads": np.argwhere(values > threshold).tolist()}

NAMES, CODES = ("English", "Swahili"), ("eng_Latn", "swh_Latn")
means = {}
for file, scale in (("ppl.pt", (1, 1)), ("ppl_eng_Latn.pt", (3, 1.2)), ("ppl_swh_Latn.pt", (1.1, 5))):
    rows = {name: np.exp(rng.normal(3, 0.5, 7)) * factor for name, factor in zip(NAMES, scale)}
    save(file, {name: {"perplexities": row.tolist(), "mean_perplexity": float(row.mean())} for name, row in rows.items()})
    means[file] = [row.mean() for row in rows.values()]
changes = np.log([np.divide(means[f"ppl_{code}.pt"], means["ppl.pt"]) for code in CODES])
expected["perplexity"] = {
    "changes": changes.tolist(),
    "own": float(np.diag(changes).mean()),
    "others": float(changes[~np.eye(2, dtype=bool)].mean()),
}
(OUT / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
