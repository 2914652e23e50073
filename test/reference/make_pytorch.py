"""Makes test/fixtures/pytorch: small files that torch.save wrote, what is in them, and what the released code of LAPE
makes of such counts.

    pip install -r test/reference/requirements-interchange.txt
    python test/reference/make_pytorch.py

`identify` is a literal reading of identify.py of RUCAIBox/Language-Specific-Neurons (commit fdecc8d, top_rate 0.01), in
float64 where it uses PyTorch's default, and with the rates' share left as an argument.
"""

import json
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).parent.parent / "fixtures" / "pytorch"
OUT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(20260201)


def clean(value):
    """As JSON: NaN as null, tensors as nested lists, infinities as strings."""
    if isinstance(value, dict):
        return {str(key): clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(entry) for entry in value]
    if isinstance(value, torch.Tensor):
        return {"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape),
                "values": clean(value.detach().to(torch.float64).reshape(-1).tolist())}
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    return value


expected = {}


def save(name, value, **options):
    torch.save(value, OUT / f"{name}.pt", **options)
    expected[name] = clean(value)


# Every element type.
numbers = torch.tensor([[0.0, 1.0, -2.5], [3.140625, 65504.0, 1e-3]], dtype=torch.float64)
save("dtypes", {
    **{str(t).removeprefix("torch."): numbers.to(t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)},
    **{str(t).removeprefix("torch."): torch.tensor([[0, 1, 2], [3, 100, 127]], dtype=t)
       for t in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)},
    "negative": torch.tensor([-1, -128, -(2**53)], dtype=torch.int64),
    "special": torch.tensor([float("nan"), float("inf"), -float("inf"), 5.960464477539063e-08], dtype=torch.float16),
    "bool": torch.tensor([True, False, True]),
})

# Views: strides, offsets, storages that are shared.
base = torch.arange(24, dtype=torch.int32).reshape(2, 3, 4)
save("views", {
    "base": base,
    "transposed": base.permute(2, 0, 1),
    "sliced": base[1, 1:, ::2],
    "expanded": torch.tensor([7.0, 8.0]).unsqueeze(0).expand(3, 2),
    "column": base[:, 1, 2],
    "scalar": torch.tensor(42),
    "empty": torch.zeros(0, 5),
    "parameter": torch.nn.Parameter(torch.tensor([1.5, -0.5])),
})

values = {
    "none": None, "true": True, "false": False, "zero": 0, "byte": 255, "short": 65535, "negative": -1,
    "long": 2**40, "longer": 2**70, "most negative": -(2**70), "float": 0.1, "infinite": float("inf"),
    "text": "日本語 ελληνικά \u0000", "list": [1, [2, [3]]], "tuple": (1, 2, 3, (4,)), "empty": [[], (), {}],
    "ordered": OrderedDict([("b", 1), ("a", 2)]), 3: "three", "dtype": torch.bfloat16, "long text": "x" * 300,
}
for protocol in (2, 3, 4, 5):
    save(f"values-{protocol}", values, pickle_protocol=protocol)

layer = torch.nn.Linear(2, 2)
with torch.no_grad():
    layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    layer.bias.zero_()
save("state-dict", layer.state_dict())
save("too-large-int64", torch.tensor([2**53 + 1]))
torch.save({"a": torch.zeros(2)}, OUT / "legacy.pt", _use_new_zipfile_serialization=False)


class Malicious:
    """Were it unpickled, a file would appear beside the tests."""

    def __reduce__(self):
        return os.system, ("touch babelscope-was-fooled",)


torch.save({"n": 1, "over_zero": Malicious()}, OUT / "refused-os-system.pt")
torch.save({1, 2}, OUT / "refused-set.pt")
torch.save(b"bytes", OUT / "refused-bytes.pt", pickle_protocol=4)
torch.save(np.float64(1.0), OUT / "refused-numpy.pt")
torch.save(torch.nn.Linear(1, 1), OUT / "refused-module.pt")
torch.save(torch.tensor([1.0 + 2.0j]), OUT / "refused-complex.pt")

(OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")

# Counts of the LAPE kind, two shards a language: what activation.py saves, one file a language (and shard).
LANGUAGES, LAYERS, NEURONS, SHARDS = ["en", "zh", "fr"], 3, 40, 2
generator = np.random.default_rng(20260202)
rate = generator.beta(0.5, 2.0, (LANGUAGES.__len__(), LAYERS, NEURONS))
rate[:, 0, 0] = 0  # never fires
rate[1:, 1, 5] = 0  # fires in one language alone
counts, tokens = {}, {}
for k, language in enumerate(LANGUAGES):
    for shard in range(SHARDS):
        n = 400 + 50 * k + 10 * shard
        over_zero = torch.tensor(generator.binomial(n, rate[k]), dtype=torch.int32)
        counts[language, shard], tokens[language, shard] = over_zero, n
        torch.save(dict(n=n, over_zero=over_zero), OUT / f"activation.{language}.{shard}.pt")


def identify(n, over_zero, top_rate):
    """identify.py, line by line; returns the entropy before ineligible units are set aside, and the masks."""
    n = torch.tensor(n)
    over_zero = torch.stack(over_zero, dim=-1)
    num_layers, intermediate_size, lang_num = over_zero.size()
    filter_rate = activation_bar_ratio = 0.95
    activation_probs = over_zero.double() / n
    normed = activation_probs / activation_probs.sum(dim=-1, keepdim=True)
    normed[torch.isnan(normed)] = 0
    log_probs = torch.where(normed > 0, normed.log(), 0)
    entropy = -torch.sum(normed * log_probs, dim=-1)
    plain = entropy.clone()
    flattened_probs = activation_probs.flatten()
    top_prob_value = flattened_probs.kthvalue(round(len(flattened_probs) * filter_rate)).values.item()
    top_position = (activation_probs > top_prob_value).sum(dim=-1)
    entropy[top_position == 0] = torch.inf
    flattened_entropy = entropy.flatten()
    top_entropy_value = round(len(flattened_entropy) * top_rate)
    _, index = flattened_entropy.topk(top_entropy_value, largest=False)
    row_index, col_index = index // entropy.size(1), index % entropy.size(1)
    selected_probs = activation_probs[row_index, col_index].transpose(0, 1)
    activation_bar = flattened_probs.kthvalue(round(len(flattened_probs) * activation_bar_ratio)).values.item()
    lang, indice = torch.where(selected_probs > activation_bar)
    merged_index = torch.stack((row_index, col_index), dim=-1)
    final_indice = []
    for index in indice.split(torch.bincount(lang, minlength=lang_num).tolist()):
        lang_index = sorted(tuple(row.tolist()) for row in merged_index[index])
        layer_index = [[] for _ in range(num_layers)]
        for l, h in lang_index:
            layer_index[l].append(h)
        final_indice.append([torch.tensor(h).long() for h in layer_index])
    return plain, activation_probs, final_indice


whole = lambda of, language: sum(of[language, shard] for shard in range(SHARDS))
entropy, probabilities, mask = identify(
    [whole(tokens, language) for language in LANGUAGES],
    [whole(counts, language) for language in LANGUAGES],
    0.05,
)
torch.save(mask, OUT / "mask.pt")
never = probabilities.sum(dim=-1) == 0
(OUT / "lape.json").write_text(json.dumps({
    "languages": LANGUAGES,
    "tokens": [whole(tokens, language) for language in LANGUAGES],
    "rates": probabilities.permute(2, 0, 1).tolist(),
    "entropy": [[None if never[l, u] else entropy[l, u].item() for u in range(NEURONS)] for l in range(LAYERS)],
    "topRate": 0.05,
    "mask": [[layer.tolist() for layer in language] for language in mask],
}, separators=(",", ":")) + "\n")

# LAHIS: one float32 matrix [layers, heads] a language, two draws each, as attn_matrix.py saves final_matrix.
shared = torch.rand(4, 6)
for language in LANGUAGES:
    own = torch.rand(4, 6)
    for draw in range(2):
        matrix = (shared + 0.5 * own + 0.05 * torch.rand(4, 6)).to(torch.float32)
        torch.save(matrix, OUT / f"aya_{language}.{draw}.pth")
        expected[f"aya_{language}.{draw}"] = clean(matrix)
(OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")
