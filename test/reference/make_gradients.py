"""Gradients of the loss at the hook points of the tiny checkpoints, by PyTorch's autograd.

    pip install torch==2.15.0 transformers==4.57.3 safetensors
    python test/reference/make_gradients.py              # all of them
    python test/reference/make_gradients.py olmo gemma   # only the checkpoints whose names contain one of these words

Reads the checkpoints in test/fixtures/models/<name>/ and the prompts in their expected.safetensors. Each prompt of two
tokens or more runs by itself, float32, eager attention. Its loss is the mean cross-entropy of its tokens but the first,
in nats. Writes gradients.safetensors beside: `loss` [prompts], and for every hook point that a module has its gradient,
the tokens of all prompts one after the other, [tokens, ...]; of attention patterns [prompts, heads, query, key] end to end.
Neurons and routers of experts, which no module of transformers has, are left out, and so are checkpoints in FP8,
which transformers runs on a GPU alone,
and one whose config.json is of transformers 5.
"""

import json
import sys
from collections import defaultdict

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import AutoModelForCausalLM

from make_models import FIXTURES, load_lists
from recording import decoder_hooks


def record(model, hooks, ids):
    """The loss of one prompt, and its gradient at every hook point."""
    seen, handles = {}, []

    def keep(name, tensor, take):
        tensor.retain_grad()
        seen[name] = (tensor, take)

    for name, module, side, take in hooks(model):
        if name.rpartition(".")[2] in ("in", "out"):  # not a hook point: the experts of a mixture
            continue
        if side == "input":
            handles.append(module.register_forward_pre_hook(
                lambda _, args, kwargs, name=name, take=take:
                    keep(name, args[0] if args else kwargs["hidden_states"], take), with_kwargs=True
            ))
        else:
            handles.append(module.register_forward_hook(
                lambda _module, _args, output, name=name, take=take:
                    keep(name, output[0] if isinstance(output, tuple) else output, take)
            ))
    output = model(input_ids=ids, output_attentions=True, use_cache=False)
    for index, pattern in enumerate(output.attentions):
        keep(f"blocks.{index}.attn.hook_pattern", pattern, None)
    loss = F.cross_entropy(output.logits[0, :-1], ids[0, 1:])
    loss.backward()
    for handle in handles:
        handle.remove()
    gradients = {}
    for name, (tensor, take) in seen.items():
        gradient = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        gradients[name] = (gradient if take is None else take(gradient))[0]
    return loss.detach(), gradients


def make(name, hooks=decoder_hooks, loaded=None, **_):
    folder = FIXTURES / name
    config = json.loads((folder / "config.json").read_text())
    if config.get("quantization_config", {}).get("quant_method") in ("fp8", "compressed-tensors"):
        return
    if "rope_parameters" in config:
        return
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval().float()
    if loaded is not None:
        loaded(model)
    # The embedding's output must have a gradient for the residual stream to have one; weights need none.
    model.requires_grad_(False)
    model.get_input_embeddings().weight.requires_grad_(True)
    recorded = load_file(folder / "expected.safetensors")
    losses, parts = [], defaultdict(list)
    for ids, length in zip(recorded["input_ids"], recorded["lengths"].tolist()):
        if length < 2:
            continue
        loss, gradients = record(model, hooks, ids[None, :length])
        losses.append(loss)
        for hook, gradient in gradients.items():
            parts[hook].append(gradient.flatten() if hook.endswith("hook_pattern") else gradient)
    saved = {hook: torch.cat(pieces).contiguous() for hook, pieces in parts.items()}
    save_file({"loss": torch.stack(losses), **saved}, folder / "gradients.safetensors")


def main(words):
    for module in load_lists().values():
        for name, model in module.MODELS.items():
            if not words or any(word in name for word in words):
                print(name, flush=True)
                make(name, **model)


if __name__ == "__main__":
    main(sys.argv[1:])
