"""Tiny random models of images, and what their language models give for a text alone in transformers 4.57.3.

    pip install torch transformers==4.57.3 safetensors
    python test/reference/make_text_parts.py

Writes test/fixtures/cases/parity/<name>/: the checkpoint as save_pretrained writes it, and expected.safetensors with ids,
logits and some hook points (float32, eager attention) of one prompt of 41 tokens.
"""

import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlavaConfig, Mistral3Config, Qwen2_5_VLConfig, Qwen3VLConfig

from recording import randomise

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "cases" / "parity"
TOKENS = 41
TEXT = dict(hidden_size=20, intermediate_size=23, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=61, max_position_embeddings=64, rope_theta=500.0)
CLIP = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8, patch_size=4)
MROPE = dict(rope_type="default", mrope_section=[1, 1, 1])
MODELS = {
    "text-of-mistral3": Mistral3Config(
        text_config=dict(TEXT, model_type="mistral", head_dim=6, sliding_window=None),
        vision_config=dict(CLIP, model_type="pixtral", head_dim=8)),
    "text-of-llava": LlavaConfig(text_config=dict(TEXT, model_type="llama", head_dim=6),
                                 vision_config=dict(CLIP, model_type="clip_vision_model")),
    "text-of-qwen2-5-vl": Qwen2_5_VLConfig(
        text_config=dict(TEXT, hidden_size=24, rope_scaling=MROPE),
        vision_config=dict(depth=1, hidden_size=8, intermediate_size=8, num_heads=1, out_hidden_size=24)),
    "text-of-qwen3-vl": Qwen3VLConfig(
        text_config=dict(TEXT, head_dim=6, rope_scaling=dict(MROPE, mrope_interleaved=True)),
        vision_config=dict(depth=1, hidden_size=8, intermediate_size=8, num_heads=1, out_hidden_size=20,
                           deepstack_visual_indexes=[0])),
}


def main():
    assert transformers.__version__ == "4.57.3"
    for seed, (name, config) in enumerate(MODELS.items()):
        folder = FIXTURES / name
        shutil.rmtree(folder, ignore_errors=True)
        torch.manual_seed(seed)
        made = transformers.AutoModelForImageTextToText.from_config(config)
        randomise(made, seed)
        made.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        model = transformers.AutoModelForImageTextToText.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        seen = {}

        def keep(point, value):
            seen[f"p5/{point}"] = value[0].detach().clone().contiguous()

        for index, layer in enumerate(model.model.language_model.layers):
            block = f"blocks.{index}."
            layer.mlp.gate_proj.register_forward_hook(lambda _, i, o, b=block: keep(b + "mlp.hook_pre", o))
            layer.self_attn.o_proj.register_forward_pre_hook(lambda _, i, b=block: keep(b + "attn.hook_z", i[0]))
            layer.register_forward_hook(
                lambda _, i, o, b=block: keep(b + "hook_resid_post", o[0] if isinstance(o, tuple) else o))
        ids = torch.randint(11, 61, (1, TOKENS), generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            keep("logits", model(input_ids=ids).logits)
        seen["p5/ids"] = ids[0]
        save_file(seen, folder / "expected.safetensors")
        print(name)


if __name__ == "__main__":
    main()
