"""Tiny random checkpoints of every family, and what Hugging Face transformers computes with them.

    pip install torch==2.9.1 transformers==4.57.3 safetensors
    python test/reference/make_models.py

Writes test/fixtures/models/<name>/: the checkpoint as save_pretrained writes it, and expected.safetensors with every
hook point (float32, eager attention, weights upcast from their storage type) of one right-padded batch. Sizes are
awkward on purpose. Weights are drawn larger than at the start of training, so that attention is far from uniform and
an error anywhere shows. The same versions give the same files.
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Qwen2Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "models"
LENGTHS = [6, 13, 1]
COMMON = dict(num_hidden_layers=3, bos_token_id=1, eos_token_id=2, pad_token_id=0, max_position_embeddings=64)

MODELS = {
    "qwen2-tied-bf16": dict(
        dtype=torch.bfloat16,
        config=Qwen2Config(
            **COMMON, vocab_size=101, hidden_size=24, intermediate_size=37, num_attention_heads=4,
            num_key_value_heads=2, head_dim=10, rope_theta=1e6, tie_word_embeddings=True,
        ),
    ),
    "qwen2-window-f32": dict(
        dtype=torch.float32,
        config=Qwen2Config(
            **COMMON, vocab_size=67, hidden_size=20, intermediate_size=29, num_attention_heads=5,
            num_key_value_heads=1, hidden_act="gelu", use_sliding_window=True, sliding_window=4, max_window_layers=1,
        ),
    ),
    "llama-linear-f16": dict(
        dtype=torch.float16,
        config=LlamaConfig(
            **COMMON, vocab_size=99, hidden_size=21, intermediate_size=31, num_attention_heads=3,
            num_key_value_heads=1, head_dim=6, rope_scaling={"type": "linear", "factor": 2.5},
        ),
    ),
    "llama-llama3-sharded-bf16": dict(
        dtype=torch.bfloat16,
        shard="12KB",
        config=LlamaConfig(
            **COMMON, vocab_size=75, hidden_size=18, intermediate_size=43, num_attention_heads=6,
            num_key_value_heads=3, head_dim=16, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
            hidden_act="gelu_pytorch_tanh", rope_theta=500.0,
            rope_scaling={
                "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            },
        ),
    ),
    "mistral-window-bf16": dict(
        dtype=torch.bfloat16,
        config=MistralConfig(
            **COMMON, vocab_size=83, hidden_size=24, intermediate_size=33, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, sliding_window=3,
        ),
    ),
    "mistral-rope-parameters-f32": dict(
        dtype=torch.float32,
        rope_parameters=True,
        config=MistralConfig(
            **COMMON, vocab_size=53, hidden_size=24, intermediate_size=17, num_attention_heads=3,
            num_key_value_heads=3, sliding_window=None, rope_theta=5000.0, hidden_act="relu",
        ),
    ),
    "olmo2-bf16": dict(
        dtype=torch.bfloat16,
        config=Olmo2Config(
            **COMMON, vocab_size=91, hidden_size=28, intermediate_size=35, num_attention_heads=4,
            num_key_value_heads=2, head_dim=6, rope_theta=5e5, rms_norm_eps=1e-5,
        ),
    ),
    "olmo2-bias-f32": dict(
        dtype=torch.float32,
        config=Olmo2Config(
            **COMMON, vocab_size=61, hidden_size=15, intermediate_size=26, num_attention_heads=3,
            num_key_value_heads=1, head_dim=8, attention_bias=True, tie_word_embeddings=True,
        ),
    ),
}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name:
                parameter.copy_(1 + 0.3 * noise)
            elif name.endswith(".bias"):
                parameter.copy_(0.3 * noise)
            else:
                parameter.copy_(noise * 1.5 / parameter.shape[-1] ** 0.5)


def record(model, ids, mask):
    """Every hook point of one forward pass, by forward hooks on the modules."""
    seen = {}

    def keep(name):
        def hook(tensor):
            assert name not in seen, name
            seen[name] = tensor.detach().clone()

        return hook

    def on_input(module, name):
        keep_input = keep(name)
        module.register_forward_pre_hook(
            lambda _, args, kwargs: keep_input(args[0] if args else kwargs["hidden_states"]), with_kwargs=True
        )

    def on_output(module, name):
        keep_output = keep(name)
        module.register_forward_hook(
            lambda _module, _args, output: keep_output(output[0] if isinstance(output, tuple) else output)
        )

    for index, layer in enumerate(model.model.layers):
        block = f"blocks.{index}."
        on_input(layer, block + "hook_resid_pre")
        # OLMo 2 normalises after the halves of a layer, so its MLP reads the residual stream itself.
        after_attention = layer.mlp if model.config.model_type == "olmo2" else layer.post_attention_layernorm
        on_input(after_attention, block + "hook_resid_mid")
        on_output(layer, block + "hook_resid_post")
        on_input(layer.self_attn.o_proj, block + "attn.hook_z")
        on_output(layer.mlp.gate_proj, block + "mlp.hook_pre")
        on_input(layer.mlp.down_proj, block + "mlp.hook_post")
    with torch.no_grad():
        output = model(input_ids=ids, attention_mask=mask, output_attentions=True, use_cache=False)
    for index, pattern in enumerate(output.attentions):
        seen[f"blocks.{index}.attn.hook_pattern"] = pattern
    seen["logits"] = output.logits
    return seen


def head_norms(model, seen):
    """‖z_h W_O,h‖₂ of every token and head, [batch, seq, heads], the contributions written out in float64."""
    norms = {}
    for index, layer in enumerate(model.model.layers):
        z = seen[f"blocks.{index}.attn.hook_z"].double()
        weight = layer.self_attn.o_proj.weight.detach().double()
        heads = model.config.num_attention_heads
        z = z.view(*z.shape[:2], heads, -1)
        weight = weight.view(weight.shape[0], heads, -1)
        contribution = torch.einsum("bshi,dhi->bshd", z, weight)
        norms[f"blocks.{index}.attn.head_norm"] = contribution.norm(dim=-1).float()
    return norms


def rewrite_rope(folder):
    """The spelling of transformers 5, which 4.57.3 does not write."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": config.pop("rope_theta")}
    path.write_text(json.dumps(config, indent=2) + "\n")


def make(name, config, dtype, seed, shard="1GB", rope_parameters=False):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    randomise(model, seed)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed + 1)
    batch, seq = len(LENGTHS), max(LENGTHS)
    ids = torch.randint(3, config.vocab_size, (batch, seq), generator=generator)
    mask = torch.tensor([[int(position < length) for position in range(seq)] for length in LENGTHS])
    ids = ids * mask
    # The first token does not count, nor does a random one; a prompt of one token counts nothing.
    counted = mask * (torch.rand(batch, seq, generator=generator) < 0.8)
    counted[:, 0] = 0
    seen = record(model, ids, mask)
    seen |= head_norms(model, seen)
    seen |= {"input_ids": ids, "lengths": torch.tensor(LENGTHS), "counted": counted.float()}
    save_file({key: value.contiguous() for key, value in seen.items()}, folder / "expected.safetensors")
    if rope_parameters:
        rewrite_rope(folder)


def make_frequencies():
    """Inverse frequencies of published configurations, as the models compute them."""
    llama3 = {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              "original_max_position_embeddings": 8192}
    cases = {
        "Llama-3.1-8B": (128, 500000.0, {**llama3, "factor": 8.0}),
        "Llama-3.2-1B": (64, 500000.0, {**llama3, "factor": 32.0}),
        "Qwen2.5-7B": (128, 1000000.0, None),
        "linear-4": (80, 10000.0, {"rope_type": "linear", "factor": 4.0}),
    }
    rows = {}
    for name, (head_dim, theta, scaling) in cases.items():
        config = LlamaConfig(hidden_size=head_dim * 4, num_attention_heads=4, rope_theta=theta, rope_scaling=scaling,
                             max_position_embeddings=131072)
        kind = "default" if scaling is None else scaling["rope_type"]
        frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"))
        assert factor == 1.0
        rows[name] = {"headDim": head_dim, "config": {"rope_theta": theta, "rope_scaling": scaling},
                      "inverseFrequencies": frequencies.tolist()}
    (FIXTURES / "rope.json").write_text(json.dumps(rows) + "\n")


def make_published():
    """Configurations as published on the hub, and how many parameters transformers gives them."""
    qwen25 = dict(hidden_act="silu", rms_norm_eps=1e-6, rope_theta=1e6, vocab_size=151936,
                  max_position_embeddings=32768, use_sliding_window=False, sliding_window=32768, model_type="qwen2",
                  architectures=["Qwen2ForCausalLM"])
    llama = dict(hidden_act="silu", rms_norm_eps=1e-5, model_type="llama", architectures=["LlamaForCausalLM"])
    llama3 = dict(**llama, vocab_size=128256, rope_theta=5e5, max_position_embeddings=131072, attention_bias=False,
                  mlp_bias=False)
    llama3_rope = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                   "original_max_position_embeddings": 8192, "rope_type": "llama3"}

    def sizes(layers, d, heads, kv_heads, mlp, tied):
        return dict(num_hidden_layers=layers, hidden_size=d, num_attention_heads=heads, num_key_value_heads=kv_heads,
                    intermediate_size=mlp, tie_word_embeddings=tied)

    configs = {
        "Qwen2.5-0.5B": dict(**qwen25, **sizes(24, 896, 14, 2, 4864, True), max_window_layers=24),
        "Qwen2.5-1.5B": dict(**qwen25, **sizes(28, 1536, 12, 2, 8960, True), max_window_layers=28),
        "Qwen2.5-7B": {**qwen25, **sizes(28, 3584, 28, 4, 18944, False), "max_window_layers": 28, "vocab_size": 152064},
        "Llama-2-7b-hf": dict(**llama, **sizes(32, 4096, 32, 32, 11008, False), vocab_size=32000,
                              max_position_embeddings=4096, rope_scaling=None),
        "Llama-3.1-8B": dict(**llama3, **sizes(32, 4096, 32, 8, 14336, False), rope_scaling=llama3_rope),
        "Llama-3.2-1B": dict(**llama3, **sizes(16, 2048, 32, 8, 8192, True), head_dim=64,
                             rope_scaling={**llama3_rope, "factor": 32.0}),
        "Mistral-7B-v0.1": dict(**sizes(32, 4096, 32, 8, 14336, False), model_type="mistral", vocab_size=32000,
                                architectures=["MistralForCausalLM"], max_position_embeddings=32768, hidden_act="silu",
                                rms_norm_eps=1e-5, rope_theta=10000.0, sliding_window=4096),
        "OLMo-2-1124-7B": dict(**sizes(32, 4096, 32, 32, 11008, False), model_type="olmo2", vocab_size=100352,
                               architectures=["Olmo2ForCausalLM"], max_position_embeddings=4096, hidden_act="silu",
                               rms_norm_eps=1e-6, rope_theta=500000, attention_bias=False, rope_scaling=None),
    }
    rows = {}
    for name, config in configs.items():
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
        model.tie_weights()
        rows[name] = {"config": config, "parameters": sum(parameter.numel() for parameter in model.parameters())}
    (FIXTURES / "published.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    assert (torch.__version__.split("+")[0], transformers.__version__) == ("2.9.1", "4.57.3")
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for seed, (name, model) in enumerate(MODELS.items()):
        make(name, seed=100 * seed, **model)
    make_frequencies()
    make_published()
