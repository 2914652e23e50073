"""The demo model: a small Qwen2, how it is made, stored and loaded, and how memory is kept on a CPU."""

import ctypes
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM


def new_model(tokenizer: PreTrainedTokenizerBase) -> Qwen2ForCausalLM:
    """5.3 M parameters: 10.6 MB in bfloat16."""
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=192,
            intermediate_size=640,
            num_hidden_layers=8,
            num_attention_heads=6,
            num_key_value_heads=2,
            max_position_embeddings=1024,  # trained on windows of 256
            rope_theta=10_000.0,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            attn_implementation="eager",  # at this size faster under torch.compile than the fused kernel
        )
    )


def load(folder: Path) -> tuple[Qwen2ForCausalLM, PreTrainedTokenizerBase]:
    """A checkpoint in float32, to be trained further or evaluated."""
    model = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model, AutoTokenizer.from_pretrained(folder)


def save(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """A Hugging Face folder with bfloat16 weights; the model itself stays as it is."""
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in model.state_dict().items()}
    copy = Qwen2ForCausalLM(model.config).to(torch.bfloat16)
    copy.load_state_dict(weights)
    copy.generation_config = type(copy.generation_config).from_model_config(copy.config)
    copy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def keep_freed_memory() -> None:
    """Tell glibc not to hand large blocks back to the system after every operation.

    Measured on two Zen 4 cores: 2,700 → 4,400 tokens a second, since most of the difference was page faults.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 2**26)
