"""Checkpoints of mixtures of experts, and of weights that are stored quantised.

Neurons of experts are recorded by running every expert's own modules on all tokens and blanking (NaN) those that the
router did not send there; that the layer's output is their weighted sum is asserted, so the routing is that of
transformers. hook_router is the router's softmax, in DeepSeek-V3 its sigmoid, over all experts.
"""

import json
import math

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import (
    DeepseekV2Config,
    DeepseekV3Config,
    GptOssConfig,
    LlamaConfig,
    MixtralConfig,
    OlmoeConfig,
    Qwen2MoeConfig,
    Qwen3MoeConfig,
)
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from recording import COMMON

# The last expert chosen and the first one not chosen lie at least this far apart, relative to the former, or rounding
# could swap them.
LEAST_MARGIN = 1e-4


def moe_of(layer):
    return layer.block_sparse_moe if hasattr(layer, "block_sparse_moe") else layer.mlp


def has_experts(layer):
    return hasattr(moe_of(layer), "experts")


def hooks(model):
    for index, layer in enumerate(model.model.layers):
        block = f"blocks.{index}."
        yield block + "hook_resid_pre", layer, "input", None
        yield block + "hook_resid_mid", layer.post_attention_layernorm, "input", None
        yield block + "hook_resid_post", layer, "output", None
        yield block + "attn.hook_z", layer.self_attn.o_proj, "input", None
        if has_experts(layer):
            yield block + "mlp.in", moe_of(layer), "input", None
            yield block + "mlp.out", moe_of(layer), "output", None
        else:
            yield block + "mlp.hook_pre", layer.mlp.gate_proj, "output", None
            yield block + "mlp.hook_post", layer.mlp.down_proj, "input", None


def by_softmax(moe, x, normalise):
    """Probabilities, and weights of the chosen experts with 0 elsewhere, of Mixtral, Qwen and OLMoE."""
    probabilities = F.softmax(moe.gate(x), dim=-1)
    values, indices = torch.topk(probabilities, moe.top_k, dim=-1)
    if normalise:
        values = values / values.sum(dim=-1, keepdim=True)
    return probabilities, torch.zeros_like(probabilities).scatter(-1, indices, values)


def routing(config, moe, x):
    kind = config.model_type
    if kind == "gpt_oss":
        weights, _ = moe.router(x)
        return F.softmax(F.linear(x, moe.router.weight, moe.router.bias), dim=-1), weights
    if kind.startswith("deepseek"):
        indices, values = moe.gate(x[None])
        logits = F.linear(x, moe.gate.weight)
        weights = torch.zeros_like(logits).scatter(-1, indices, values)
        return (logits.sigmoid() if kind == "deepseek_v3" else F.softmax(logits, dim=-1)), weights
    return by_softmax(moe, x, kind == "mixtral" or config.norm_topk_prob)


def expert_neurons(config, moe, index, x):
    """hook_pre, hook_post and output of one expert for all tokens."""
    if config.model_type == "gpt_oss":
        experts = moe.experts
        both = x @ experts.gate_up_proj[index] + experts.gate_up_proj_bias[index]
        pre, up = both[..., ::2], both[..., 1::2]
        gate = pre.clamp(max=experts.limit)
        post = (up.clamp(-experts.limit, experts.limit) + 1) * gate * torch.sigmoid(gate * experts.alpha)
        return pre, post, post @ experts.down_proj[index] + experts.down_proj_bias[index]
    return mlp_neurons(moe.experts[index], x)


def mlp_neurons(mlp, x):
    names = ("w1", "w3", "w2") if hasattr(mlp, "w1") else ("gate_proj", "up_proj", "down_proj")
    gate, up, down = (getattr(mlp, name) for name in names)
    pre = gate(x)
    post = mlp.act_fn(pre) * up(x)
    return pre, post, down(post)


def check_margin(probabilities, weights, margin):
    chosen = weights != 0
    worst = probabilities.masked_fill(~chosen, math.inf).min(dim=-1).values
    best = probabilities.masked_fill(chosen, -math.inf).max(dim=-1).values
    # Where groups or a bias choose, the order of probabilities need not be that of the choice.
    assert ((worst - best).abs() > margin * worst).all(), "nearly tied"


def derive(model, seen, margin=LEAST_MARGIN):
    """The hook points of layers with experts."""
    config = model.config
    for index, layer in enumerate(model.model.layers):
        if not has_experts(layer):
            continue
        moe, block = moe_of(layer), f"blocks.{index}.mlp."
        inputs, outputs = seen.pop(block + "in"), seen.pop(block + "out")
        shape = inputs.shape[:2]
        x = inputs.reshape(-1, inputs.shape[-1])
        with torch.no_grad():
            probabilities, weights = routing(config, moe, x)
            check_margin(probabilities, weights, margin)
            total, pres, posts = torch.zeros_like(x), [], []
            for expert in range(weights.shape[-1]):
                pre, post, out = expert_neurons(config, moe, expert, x)
                total += weights[:, expert, None] * out
                absent = (weights[:, expert] == 0)[:, None]
                pres.append(pre.masked_fill(absent, math.nan))
                posts.append(post.masked_fill(absent, math.nan))
            shared = getattr(moe, "shared_experts", getattr(moe, "shared_expert", None))
            if shared is not None:
                pre, post, out = mlp_neurons(shared, x)
                pres.append(pre)
                posts.append(post)
                gate = getattr(moe, "shared_expert_gate", None)
                total += out if gate is None else torch.sigmoid(gate(x)) * out
        expected = outputs.reshape(total.shape)
        assert (total - expected).abs().max() < 1e-5 * expected.abs().max(), "these are not the experts that were used"
        seen[block + "hook_router"] = probabilities.reshape(*shape, -1)
        seen[block + "hook_pre"] = torch.cat(pres, dim=-1).reshape(*shape, -1)
        seen[block + "hook_post"] = torch.cat(posts, dim=-1).reshape(*shape, -1)
    return seen


def rewrite_weights(folder, replaced, quantization_config):
    """Stores some weights as other tensors: name → {name: tensor}."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, stored in replaced.items():
        del tensors[name]
        tensors |= stored
    save_file(tensors, path, metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["quantization_config"] = quantization_config
    path.write_text(json.dumps(config, indent=2) + "\n")


class Fp8:
    """Rounds linear weights to E4M3 with a scale a block, row or tensor, before transformers runs the model."""

    def __init__(self, block, suffix, quantization_config, scale_dtype=torch.float32):
        self.block, self.suffix = block, suffix
        self.quantization_config, self.scale_dtype = quantization_config, scale_dtype
        self.stored = {}

    def prepare(self, model):
        self.stored = {}
        for name, parameter in model.named_parameters():
            # Routers, embeddings and norms stay as they are in published checkpoints.
            if parameter.dim() != 2 or "embed" in name or "lm_head" in name or name.endswith("mlp.gate.weight"):
                continue
            weight = parameter.detach().float()
            out, width = weight.shape
            rows, columns = (self.block[0] or out, self.block[1] or width)
            grid = torch.zeros(math.ceil(out / rows), math.ceil(width / columns))
            for i in range(grid.shape[0]):
                for j in range(grid.shape[1]):
                    piece = weight[i * rows:(i + 1) * rows, j * columns:(j + 1) * columns]
                    grid[i, j] = piece.abs().max() / 448  # the largest number of E4M3
            grid = grid.to(self.scale_dtype)
            full = grid.float().repeat_interleave(rows, 0)[:out].repeat_interleave(columns, 1)[:, :width]
            values = (weight / full).clamp(-448, 448).to(torch.float8_e4m3fn)
            with torch.no_grad():
                parameter.copy_(values.float() * full)
            scale = grid.reshape(()) if self.block == (None, None) else grid
            self.stored[name] = {name: values, f"{name}_{self.suffix}": scale}

    def rewrite(self, folder):
        rewrite_weights(folder, self.stored, self.quantization_config)


class Mxfp4:
    """gpt-oss experts as random blocks and scales, dequantised by transformers' own function."""

    def __init__(self):
        self.stored = {}

    def prepare(self, model):
        self.stored = {}
        generator = torch.Generator().manual_seed(7)
        for name, parameter in model.named_parameters():
            if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
                continue
            experts, width, out = parameter.shape
            blocks = torch.randint(0, 256, (experts, out, width // 32, 16), generator=generator, dtype=torch.uint8)
            scales = torch.randint(122, 126, (experts, out, width // 32), generator=generator).to(torch.uint8)
            with torch.no_grad():
                parameter.copy_(convert_moe_packed_tensors(blocks, scales, dtype=torch.float32))
            self.stored[name] = {f"{name}_blocks": blocks, f"{name}_scales": scales}

    def rewrite(self, folder):
        rewrite_weights(folder, self.stored, {
            "quant_method": "mxfp4",
            "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
        })


def balance(model):
    """A bias such as training of DeepSeek-V3 leaves: it changes which experts are chosen."""
    generator = torch.Generator().manual_seed(11)
    for name, buffer in sorted(model.named_buffers()):
        if name.endswith("e_score_correction_bias"):
            buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))


def widen_gates(model):
    """Gates and ups of gpt-oss beyond the limit at which it cuts them."""
    for layer in model.model.layers:
        layer.mlp.experts.gate_up_proj.data *= 4


def correct_scale(model):
    """DeepSeek-V2's own code multiplies scores by mscale²; transformers does since pull request 47435 of 2026."""
    rope = model.config.rope_scaling
    for layer in model.model.layers:
        mscale = 0.1 * rope["mscale_all_dim"] * math.log(rope["factor"]) + 1
        layer.self_attn.scaling *= mscale * mscale


def fp8_and_balance(fp8):
    def prepare(model):
        fp8.prepare(model)
        balance(model)

    return prepare


YARN = {
    "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4.0, "beta_slow": 0.5,
    "mscale": 0.707, "mscale_all_dim": 0.5,
}
DEEPSEEK = dict(
    **COMMON, hidden_size=22, intermediate_size=19, moe_intermediate_size=7, num_attention_heads=3,
    num_key_value_heads=3, kv_lora_rank=9, qk_rope_head_dim=6, qk_nope_head_dim=5, v_head_dim=8,
    n_shared_experts=2, first_k_dense_replace=1,
)
# transformers takes pairs of V2's dimensions for complex numbers, which must begin at even places.
V2 = {**DEEPSEEK, "kv_lora_rank": 10, "qk_nope_head_dim": 4}
V3_GROUPS = dict(n_routed_experts=12, n_group=4, topk_group=2, num_experts_per_tok=3, routed_scaling_factor=1.7)
GPT_OSS = dict(
    **COMMON, hidden_size=64, intermediate_size=32, num_attention_heads=6, num_key_value_heads=2, head_dim=10,
    vocab_size=71, num_local_experts=5, num_experts_per_tok=2, sliding_window=4, rope_theta=40.0,
    rope_scaling={"rope_type": "yarn", "factor": 8.0, "beta_fast": 1.5, "beta_slow": 0.3, "truncate": False,
                  "original_max_position_embeddings": 16},
)
fp8_block = Fp8((16, 12), "scale_inv", {
    "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [16, 12]})
fp8_channel = Fp8((1, None), "scale", {"quant_method": "compressed-tensors", "format": "float-quantized"}, torch.bfloat16)
fp8_tensor = Fp8((None, None), "scale_inv", {"quant_method": "fp8", "activation_scheme": "static"})
mxfp4 = Mxfp4()
LLAMA_FP8 = dict(**COMMON, vocab_size=61, hidden_size=24, intermediate_size=37, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=6)

MODELS = {
    name: dict(hooks=hooks, derive=derive, **model) for name, model in {
        "mixtral-window-bf16": dict(
            dtype=torch.bfloat16,
            config=MixtralConfig(
                **COMMON, vocab_size=79, hidden_size=20, intermediate_size=13, num_attention_heads=5,
                num_key_value_heads=1, num_local_experts=5, num_experts_per_tok=2, sliding_window=4,
            ),
        ),
        "qwen2-moe-bf16": dict(
            dtype=torch.bfloat16,
            config=Qwen2MoeConfig(
                **COMMON, vocab_size=101, hidden_size=24, intermediate_size=23, moe_intermediate_size=9,
                shared_expert_intermediate_size=14, num_attention_heads=4, num_key_value_heads=2, num_experts=7,
                num_experts_per_tok=3, mlp_only_layers=[0], norm_topk_prob=False,
            ),
        ),
        "qwen2-moe-step-f32": dict(
            dtype=torch.float32,
            config=Qwen2MoeConfig(
                **COMMON, vocab_size=59, hidden_size=18, intermediate_size=17, moe_intermediate_size=5,
                shared_expert_intermediate_size=6, num_attention_heads=3, num_key_value_heads=3, num_experts=4,
                num_experts_per_tok=2, decoder_sparse_step=2, norm_topk_prob=True, qkv_bias=False,
            ),
        ),
        "qwen3-moe-bf16": dict(
            dtype=torch.bfloat16,
            config=Qwen3MoeConfig(
                **COMMON, vocab_size=83, hidden_size=20, intermediate_size=21, moe_intermediate_size=8,
                num_attention_heads=4, num_key_value_heads=2, head_dim=10, num_experts=6, num_experts_per_tok=2,
                mlp_only_layers=[1], norm_topk_prob=True, use_sliding_window=True, sliding_window=5,
            ),
        ),
        "olmoe-clip-bf16": dict(
            dtype=torch.bfloat16,
            config=OlmoeConfig(
                **COMMON, vocab_size=67, hidden_size=24, intermediate_size=10, num_attention_heads=4,
                num_key_value_heads=2, num_experts=6, num_experts_per_tok=3, clip_qkv=1.1,
            ),
        ),
        "gpt-oss-bf16": dict(dtype=torch.bfloat16, prepare=widen_gates, config=GptOssConfig(**GPT_OSS)),
        "gpt-oss-mxfp4": dict(
            dtype=torch.float32, prepare=mxfp4.prepare, rewrite=mxfp4.rewrite,
            config=GptOssConfig(**{**GPT_OSS, "intermediate_size": 64, "num_local_experts": 3, "layer_types": [
                "full_attention", "sliding_attention", "sliding_attention"]}),
        ),
        "deepseek-v2-greedy-f32": dict(
            dtype=torch.float32, loaded=correct_scale,
            config=DeepseekV2Config(
                **V2, vocab_size=57, q_lora_rank=None, n_routed_experts=6, num_experts_per_tok=2,
                topk_method="greedy", routed_scaling_factor=1.3, rope_scaling=YARN,
            ),
        ),
        "deepseek-v2-groups-bf16": dict(
            dtype=torch.bfloat16,
            config=DeepseekV2Config(
                **V2, vocab_size=69, q_lora_rank=10, n_routed_experts=12, n_group=4, topk_group=2,
                num_experts_per_tok=3, topk_method="group_limited_greedy", routed_scaling_factor=2.0,
                attention_bias=True,
            ),
        ),
        "deepseek-v3-bf16": dict(
            dtype=torch.bfloat16, prepare=balance,
            config=DeepseekV3Config(
                **DEEPSEEK, **V3_GROUPS, vocab_size=63, q_lora_rank=None, norm_topk_prob=False, rope_interleave=False,
            ),
        ),
        "deepseek-v3-fp8": dict(
            dtype=torch.float32, prepare=fp8_and_balance(fp8_block), rewrite=fp8_block.rewrite,
            config=DeepseekV3Config(**DEEPSEEK, **V3_GROUPS, vocab_size=65, q_lora_rank=10, rope_scaling=YARN),
        ),
        "llama-fp8-channel": dict(
            dtype=torch.float32, prepare=fp8_channel.prepare, rewrite=fp8_channel.rewrite,
            config=LlamaConfig(**LLAMA_FP8),
        ),
        "llama-fp8-tensor": dict(
            dtype=torch.float32, prepare=fp8_tensor.prepare, rewrite=fp8_tensor.rewrite,
            config=LlamaConfig(**LLAMA_FP8),
        ),
    }.items()
}

MIXTRAL = dict(architectures=["MixtralForCausalLM"], model_type="mixtral", hidden_act="silu", num_key_value_heads=8,
               num_local_experts=8, num_experts_per_tok=2, rms_norm_eps=1e-5, rope_theta=1e6, sliding_window=None,
               tie_word_embeddings=False)
QWEN_MOE = dict(hidden_act="silu", hidden_size=2048, rms_norm_eps=1e-6, rope_theta=1e6, vocab_size=151936,
                decoder_sparse_step=1, tie_word_embeddings=False, use_sliding_window=False)
GPT_OSS_PUBLISHED = dict(
    architectures=["GptOssForCausalLM"], model_type="gpt_oss", attention_bias=True, head_dim=64, hidden_act="silu",
    hidden_size=2880, intermediate_size=2880, max_position_embeddings=131072, num_attention_heads=64,
    num_experts_per_tok=4, num_key_value_heads=8, rms_norm_eps=1e-5, rope_theta=150000, sliding_window=128,
    swiglu_limit=7.0, tie_word_embeddings=False, vocab_size=201088, quantization_config={"quant_method": "mxfp4"},
    rope_scaling={"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096,
                  "rope_type": "yarn", "truncate": False},
)
DEEPSEEK_PUBLISHED = dict(attention_bias=False, hidden_act="silu", kv_lora_rank=512, max_position_embeddings=163840,
                          qk_nope_head_dim=128, qk_rope_head_dim=64, rms_norm_eps=1e-6, rope_theta=10000,
                          tie_word_embeddings=False, v_head_dim=128)
DEEPSEEK_YARN = {"beta_fast": 32, "beta_slow": 1, "factor": 40, "original_max_position_embeddings": 4096, "type": "yarn"}

PUBLISHED = {
    "Mixtral-8x7B-v0.1": dict(**MIXTRAL, hidden_size=4096, intermediate_size=14336, max_position_embeddings=32768,
                              num_attention_heads=32, num_hidden_layers=32, vocab_size=32000),
    "Mixtral-8x22B-v0.1": dict(**MIXTRAL, hidden_size=6144, intermediate_size=16384, max_position_embeddings=65536,
                               num_attention_heads=48, num_hidden_layers=56, vocab_size=32000),
    "Qwen1.5-MoE-A2.7B": dict(
        **QWEN_MOE, architectures=["Qwen2MoeForCausalLM"], model_type="qwen2_moe", intermediate_size=5632,
        max_position_embeddings=8192, moe_intermediate_size=1408, norm_topk_prob=False, num_attention_heads=16,
        num_experts=60, num_experts_per_tok=4, num_hidden_layers=24, num_key_value_heads=16,
        shared_expert_intermediate_size=5632,
    ),
    "Qwen3-30B-A3B": dict(
        **QWEN_MOE, architectures=["Qwen3MoeForCausalLM"], model_type="qwen3_moe", attention_bias=False, head_dim=128,
        intermediate_size=6144, max_position_embeddings=40960, mlp_only_layers=[], moe_intermediate_size=768,
        norm_topk_prob=True, num_attention_heads=32, num_experts=128, num_experts_per_tok=8, num_hidden_layers=48,
        num_key_value_heads=4,
    ),
    "OLMoE-1B-7B-0924": dict(
        architectures=["OlmoeForCausalLM"], model_type="olmoe", attention_bias=False, clip_qkv=None, hidden_act="silu",
        hidden_size=2048, intermediate_size=1024, max_position_embeddings=4096, norm_topk_prob=False,
        num_attention_heads=16, num_experts=64, num_experts_per_tok=8, num_hidden_layers=16, num_key_value_heads=16,
        rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False, vocab_size=50304,
    ),
    "gpt-oss-20b": dict(**GPT_OSS_PUBLISHED, num_hidden_layers=24, num_local_experts=32),
    "gpt-oss-120b": dict(**GPT_OSS_PUBLISHED, num_hidden_layers=36, num_local_experts=128),
    "DeepSeek-V2-Lite": dict(
        **DEEPSEEK_PUBLISHED, architectures=["DeepseekV2ForCausalLM"], model_type="deepseek_v2",
        first_k_dense_replace=1, hidden_size=2048, intermediate_size=10944, moe_intermediate_size=1408, n_group=1,
        n_routed_experts=64, n_shared_experts=2, norm_topk_prob=False, num_attention_heads=16, num_experts_per_tok=6,
        num_hidden_layers=27, num_key_value_heads=16, q_lora_rank=None, routed_scaling_factor=1.0, topk_group=1,
        topk_method="greedy", vocab_size=102400, rope_scaling={**DEEPSEEK_YARN, "mscale": 0.707, "mscale_all_dim": 0.707},
    ),
    "DeepSeek-V3": dict(
        **DEEPSEEK_PUBLISHED, architectures=["DeepseekV3ForCausalLM"], model_type="deepseek_v3",
        first_k_dense_replace=3, hidden_size=7168, intermediate_size=18432, moe_intermediate_size=2048, n_group=8,
        n_routed_experts=256, n_shared_experts=1, norm_topk_prob=True, num_attention_heads=128, num_experts_per_tok=8,
        num_hidden_layers=61, num_key_value_heads=128, num_nextn_predict_layers=1, q_lora_rank=1536,
        routed_scaling_factor=2.5, topk_group=4, topk_method="noaux_tc", vocab_size=129280,
        quantization_config={"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
                             "weight_block_size": [128, 128]},
        rope_scaling={**DEEPSEEK_YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
    ),
}
