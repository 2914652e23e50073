"""Tiny random LoRA adapters, and what PEFT's merged model computes with them.

    pip install torch==2.9.1 transformers==4.57.3 peft==0.21.2 safetensors
    python test/reference/make_adapters.py            # all of them
    python test/reference/make_adapters.py gpt2       # only those whose names contain one of these words
    python test/reference/make_adapters.py --targets  # only targets.json

Writes test/fixtures/adapters/<name>/: the adapter as save_pretrained writes it, made for the checkpoint of
test/fixtures/models that its base_model_name_or_path names, and expected.safetensors with every hook point and the
logits of PeftModel.from_pretrained(base, adapter).merge_and_unload() in float32, eager attention, on the prompts of that
checkpoint's own expected.safetensors. Matrices are drawn large, so that the adapter changes every number. The same
versions give the same files. Also writes targets.json: which modules PEFT adapts, with which rank and scale, for
configurations that differ in how they name modules.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from make_models import load_lists
from recording import decoder_hooks, head_norms, record, record_alone

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
BASES = {name: model for module in load_lists().values() for name, model in module.MODELS.items()}

# name of the adapter → base, configuration, storage type
ADAPTERS = {
    "patterns-bf16": (
        "qwen2-tied-bf16",
        dict(r=4, lora_alpha=6, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
             rank_pattern={"q_proj": 2, r"layers\.1\.mlp\.down_proj": 7, "mlp.up_proj": 1},
             alpha_pattern={r".*\.0\.self_attn\.v_proj": 3, "o_proj": 11}),
        torch.bfloat16,
    ),
    "rslora-regex-f32": (
        "llama-linear-f16",
        dict(r=3, lora_alpha=2, use_rslora=True, target_modules=r"model\.layers\.(?P<index>0|2)\..*(q|o|down)_proj"),
        torch.float32,
    ),
    "layers-f16": (
        "llama-llama3-sharded-bf16",
        dict(r=5, lora_alpha=5, target_modules=["q_proj", "self_attn.o_proj", "up_proj", "down_proj"],
             exclude_modules=["0.mlp.down_proj"], layers_to_transform=[0, 2], layers_pattern="layers"),
        torch.float16,
    ),
    "all-linear-saved-bf16": (
        "mistral-window-bf16",
        dict(r=2, lora_alpha=4, target_modules="all-linear", modules_to_save=["lm_head", "model.norm"]),
        torch.bfloat16,
    ),
    "gpt2-conv1d-f32": (
        "gpt2-published-f32",
        dict(r=3, lora_alpha=4, fan_in_fan_out=True, target_modules=["c_attn", "c_proj", "c_fc"]),
        torch.float32,
    ),
    "gpt-neox-fused-f32": (
        "gpt-neox-parallel-bf16",
        dict(r=3, lora_alpha=4, target_modules=["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h", "embed_out"]),
        torch.float32,
    ),
    "phi3-fused-f32": (
        "phi3-f32",
        dict(r=3, lora_alpha=4, target_modules=["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]),
        torch.float32,
    ),
    # Routers that are linear layers are saved or adapted like all others; those of gpt-oss and DeepSeek are none.
    "mixtral-all-linear-bf16": (
        "mixtral-window-bf16",
        dict(r=2, lora_alpha=3, target_modules="all-linear", exclude_modules=r".*\.experts\.[14]\..*",
             modules_to_save=["gate"]),
        torch.bfloat16,
    ),
    "qwen2-moe-shared-f32": (
        "qwen2-moe-bf16",
        dict(r=3, lora_alpha=4, rank_pattern={"mlp.gate": 2, "shared_expert.down_proj": 1},
             target_modules=["q_proj", "mlp.gate", "shared_expert_gate", "shared_expert.up_proj",
                             "shared_expert.down_proj", "experts.2.gate_proj", "experts.5.down_proj"]),
        torch.float32,
    ),
    "gpt-oss-all-linear-bf16": ("gpt-oss-bf16", dict(r=2, lora_alpha=3, target_modules="all-linear"), torch.bfloat16),
    "deepseek-v3-all-linear-bf16": (
        "deepseek-v3-bf16",
        dict(r=2, lora_alpha=1, target_modules="all-linear", exclude_modules=r".*\.experts\.\d*[13579]\..*"),
        torch.bfloat16,
    ),
}


def load_base(name):
    return AutoModelForCausalLM.from_pretrained(
        FIXTURES / "models" / name, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def make(name, base, config, dtype):
    folder = FIXTURES / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    model = get_peft_model(load_base(base), LoraConfig(task_type="CAUSAL_LM", **config))
    with torch.no_grad():
        for key, parameter in sorted(model.named_parameters()):
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(1 + 0.3 * noise if parameter.dim() == 1 else noise * parameter.shape[-1] ** -0.5)
    model.peft_config["default"].base_model_name_or_path = f"tiny/{base}"
    model.save_pretrained(folder, save_embedding_layers=False)  # "auto" asks the hub for the base
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    saved = json.loads(path.read_text())
    if isinstance(saved["target_modules"], list):
        saved["target_modules"].sort()  # a set in PEFT
        path.write_text(json.dumps(saved, indent=2))
    stored = load_file(folder / "adapter_model.safetensors")
    save_file({key: value.to(dtype).contiguous() for key, value in stored.items()}, folder / "adapter_model.safetensors")

    merged = PeftModel.from_pretrained(load_base(base), folder).merge_and_unload().eval()
    settings = BASES[base]
    prompts = load_file(FIXTURES / "models" / base / "expected.safetensors")
    ids, lengths = prompts["input_ids"], prompts["lengths"]
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    seen = (record_alone if settings.get("alone") else record)(merged, settings.get("hooks", decoder_hooks), ids, mask)
    if "derive" in settings:
        seen = settings["derive"](merged, seen)
    layers = settings.get("layers", lambda model: model.model.layers)(merged)
    mixing = settings.get("mixing", lambda layer: layer.self_attn.o_proj)
    seen |= head_norms(merged.config.num_attention_heads, layers, mixing, seen)
    change = (seen["logits"] - prompts["logits"]).abs().max() / prompts["logits"].abs().max()
    assert change > 0.1, change
    seen |= {key: prompts[key] for key in ("input_ids", "lengths", "counted")}
    save_file({key: value.contiguous() for key, value in seen.items()}, folder / "expected.safetensors")


TARGETS = {
    "ends of names": dict(target_modules=["q_proj", "mlp.down_proj"]),
    "an end is whole parts": dict(target_modules=["proj", "j_proj", "q_proj"]),
    "a pattern for whole names": dict(target_modules=r".*layers\.\d\.self_attn\.[qk]_proj"),
    "a pattern that matches only ends": dict(target_modules=r"q_proj|.*\.0\.mlp\..*_proj|mlp"),
    "every linear layer": dict(target_modules="all-linear"),
    "excluded ends": dict(target_modules=["q_proj", "k_proj"], exclude_modules=["1.self_attn.k_proj"]),
    "excluded pattern": dict(target_modules=["q_proj", "k_proj"], exclude_modules=r".*\.[02]\..*k_proj"),
    "one layer": dict(target_modules=["q_proj", "up_proj"], layers_to_transform=1),
    "some layers": dict(target_modules=["q_proj", "lm_head"], layers_to_transform=[0, 2]),
    "some layers by their parent": dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern=["h", "layers"]),
    "saved whole": dict(target_modules=["q_proj", "lm_head", "down_proj"], modules_to_save=["lm_head", "1.mlp"]),
    "rank by end": dict(target_modules=["q_proj", "o_proj"], rank_pattern={"q_proj": 3, "o": 5}),
    "first pattern wins": dict(target_modules=["q_proj"], rank_pattern={r"layers\.\d+\.self_attn\.q_proj": 2, "q_proj": 3}),
    "anchored pattern": dict(target_modules=["q_proj"], rank_pattern={r"^model\.layers\.1\.self_attn\.q_proj": 6}),
    "alpha by end": dict(target_modules=["q_proj", "k_proj"], alpha_pattern={"0.self_attn.k_proj": 32}),
    "rank-stabilised": dict(target_modules=["q_proj", "k_proj"], use_rslora=True, rank_pattern={"k_proj": 2}),
}


def make_targets():
    """What PEFT does to a Llama of three layers, configuration by configuration."""
    rows = []
    for title, config in TARGETS.items():
        base = load_base("llama-linear-f16")
        every = [name for name, module in base.named_modules() if isinstance(module, torch.nn.Linear)]
        full = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, **config)
        model = get_peft_model(base, full)
        adapted = {
            name.removeprefix("base_model.model."): [module.r["default"], module.scaling["default"]]
            for name, module in model.named_modules()
            if hasattr(module, "lora_A") and hasattr(module, "scaling")
        }
        rows.append({"title": title, "config": {"r": 4, "lora_alpha": 8, **config}, "modules": every, "adapted": adapted})
    (FIXTURES / "adapters" / "targets.json").write_text(json.dumps(rows, indent=1) + "\n")


def main(words):
    versions = (torch.__version__.split("+")[0], transformers.__version__, peft.__version__)
    assert versions == ("2.9.1", "4.57.3", "0.21.2"), versions
    for name, (base, config, dtype) in ADAPTERS.items():
        if (FIXTURES / "models" / base).is_dir() and (not words or any(word in name for word in words)):
            print(name)
            make(name, base, config, dtype)
    if not words or "--targets" in words:
        make_targets()


if __name__ == "__main__":
    main(sys.argv[1:])
