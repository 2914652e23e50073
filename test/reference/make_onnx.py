"""Exports of tiny checkpoints by other people's exporters, and what their models compute.

    pip install -r test/reference/requirements-onnx.txt
    python test/reference/make_onnx.py            # all
    python test/reference/make_onnx.py genai      # only the fixtures whose names contain one of these words

Writes test/fixtures/onnx/<name>/: the graph, the configuration its exporter puts beside it, and

- `reference.txt`, the name of the checkpoint in test/fixtures/models/ that was exported: its expected.safetensors are what
  transformers computed with it; or
- `expected.safetensors` of the same layout: for GPT-2 from transformers (eager, fp32), for quantised graphs from Python's
  onnxruntime, which runs each prompt alone on the graph with the tensors named here as outputs.

tiny-random-gpt2.onnx is Microsoft's; its weights are read from the file into transformers' GPT-2.
"""

import json
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from recording import LENGTHS, decoder_hooks, head_norms, randomise, record

torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "fixtures" / "models"
FIXTURES = HERE.parent / "fixtures" / "onnx"


def folder_of(name):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def refer(folder, checkpoint):
    (folder / "reference.txt").write_text(checkpoint + "\n")


def optimum(checkpoint, target, **options):
    from optimum.exporters.onnx import main_export

    with tempfile.TemporaryDirectory() as scratch:
        main_export(str(checkpoint), output=scratch, dtype="fp32", do_validation=False, **options)
        shutil.copy(Path(scratch) / "model.onnx", target)


def genai(checkpoint, folder, precision):
    """onnxruntime-genai's model builder, which asks for a tokenizer last; the graph is written by then."""
    import onnxruntime_genai.models

    place = Path(onnxruntime_genai.models.__file__).parent if onnxruntime_genai.models.__file__ else Path(
        list(onnxruntime_genai.models.__path__)[0])
    sys.path.insert(0, str(place))
    with tempfile.TemporaryDirectory() as cache:
        sys.argv = ["builder.py", "-m", "", "-i", str(checkpoint), "-o", str(folder), "-p", precision, "-e", "cpu", "-c",
                    cache]
        try:
            runpy.run_path(str(place / "builder.py"), run_name="__main__")
        except Exception as error:
            print("no tokenizer, as expected:", str(error)[:80])
    assert (folder / "model.onnx").exists()


def draw(vocab, seed):
    generator = torch.Generator().manual_seed(seed)
    batch, seq = len(LENGTHS), max(LENGTHS)
    ids = torch.randint(3, vocab, (batch, seq), generator=generator)
    mask = torch.tensor([[int(position < length) for position in range(seq)] for length in LENGTHS])
    counted = mask * (torch.rand(batch, seq, generator=generator) < 0.8)
    counted[:, 0] = 0
    return {"input_ids": ids * mask, "lengths": torch.tensor(LENGTHS), "counted": counted.float()}, mask


def gpt2_hooks(model):
    for index, layer in enumerate(model.transformer.h):
        block = f"blocks.{index}."
        yield block + "hook_resid_pre", layer, "input", None
        yield block + "hook_resid_mid", layer.ln_2, "input", None
        yield block + "hook_resid_post", layer, "output", None
        yield block + "attn.hook_z", layer.attn.c_proj, "input", None
        yield block + "mlp.hook_pre", layer.mlp.c_fc, "output", None
        yield block + "mlp.hook_post", layer.mlp.c_proj, "input", None


def save_gpt2(model, folder, seed, pattern=True):
    prompts, mask = draw(model.config.vocab_size, seed)
    seen = record(model, gpt2_hooks, prompts["input_ids"], mask)
    # Of a graph with fused attention there is nothing to compare patterns with.
    seen = {name: values for name, values in seen.items() if pattern or not name.endswith("hook_pattern")}
    seen |= head_norms(model.config.n_head, model.transformer.h, lambda layer: layer.attn.c_proj, seen)
    save_file({name: values.contiguous() for name, values in (seen | prompts).items()}, folder / "expected.safetensors")


def microsoft_gpt2():
    """Weights of the fused graph, read into transformers' GPT-2. Layer norms and biases were stored once where equal."""
    path = FIXTURES / "tiny-random-gpt2" / "model.onnx"
    graph = onnx.load(path).graph
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    config = GPT2Config(n_layer=5, n_head=4, n_embd=32, vocab_size=1000, n_positions=512, attn_implementation="eager")
    model = GPT2LMHeadModel(config).eval()
    shared = {"ln_1.weight", "ln_1.bias", "attn.c_attn.bias", "mlp.c_fc.bias"}
    unset = []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            inner = ".".join(name.split(".")[3:])
            if name in weights:
                parameter.copy_(weights[name])
            elif inner in shared:
                parameter.copy_(weights[f"transformer.h.0.{inner}"])
            else:
                unset.append(name)
        # The nodes tell which stored tensor stands for each of these: gains are h.0's, biases zeros of their size.
        for name in unset:
            parameter = dict(model.named_parameters())[name]
            parameter.copy_(torch.ones_like(parameter) if name.endswith("weight") else torch.zeros_like(parameter))
    assert torch.equal(weights["transformer.h.0.ln_1.weight"], torch.ones(32))
    for zeros in ("ln_1.bias", "attn.c_attn.bias", "mlp.c_fc.bias"):
        assert not weights[f"transformer.h.0.{zeros}"].any()
    model.lm_head.weight = torch.nn.Parameter(weights["onnx::MatMul_1400"].T.contiguous())
    save_gpt2(model, path.parent, 11, pattern=False)


def own_gpt2():
    torch.manual_seed(5)
    config = GPT2Config(n_layer=2, n_head=3, n_embd=24, n_inner=50, vocab_size=71, n_positions=40, bos_token_id=1,
                        eos_token_id=2, attn_implementation="eager")
    model = GPT2LMHeadModel(config)
    randomise(model, 5)
    model.tie_weights()
    return model.eval()


def torch_gpt2():
    """torch.onnx.export as of torch 2.9, through torch.export, without a cache and without a mask; external data."""
    model = own_gpt2()
    folder = folder_of("torch-gpt2")
    save_gpt2(model, folder, 12)
    model.set_attn_implementation("sdpa")

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids):
            # transformers' own mask is not traced with sizes left open.
            seq = input_ids.shape[1]
            mask = torch.triu(torch.full((seq, seq), torch.finfo(torch.float32).min), diagonal=1)[None, None]
            return self.model(input_ids=input_ids, attention_mask=mask, use_cache=False).logits

    batch, seq = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("seq", min=1, max=40)
    torch.onnx.export(Logits(), (torch.randint(0, 71, (2, 7)),), folder / "model.onnx", dynamo=True,
                      input_names=["input_ids"], output_names=["logits"], external_data=True,
                      dynamic_shapes={"input_ids": {0: batch, 1: seq}}, verbose=False)
    strip_traces(folder / "model.onnx")
    model.config.save_pretrained(folder)


def strip_traces(path):
    """Stack traces hold the paths of the machine that made the graph."""
    graph = onnx.load(path, load_external_data=False)
    for node in graph.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer]:
        value.ClearField("metadata_props")
    graph.graph.ClearField("metadata_props")
    graph.ClearField("metadata_props")
    onnx.save(graph, path)


def fused_gpt2():
    """Optimum's export of the same GPT-2, fused by onnxruntime's transformer optimizer as transformers.js users do."""
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    model = own_gpt2()
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        plain = Path(scratch) / "plain.onnx"
        optimum(scratch, plain, task="text-generation")
        for name in ("optimum-gpt2", "fused-gpt2"):
            folder = folder_of(name)
            model.config.save_pretrained(folder)
            (folder / "onnx").mkdir()
            shutil.copy(plain, folder / "onnx" / "model.onnx")
            save_gpt2(model, folder, 13)
        options = FusionOptions("gpt2")
        fused = optimize_model(str(plain), model_type="gpt2", num_heads=3, hidden_size=24, optimization_options=options,
                               opt_level=0)
        fused.save_model_to_file(str(FIXTURES / "fused-gpt2" / "onnx" / "model.onnx"))
        print(fused.get_fused_operator_statistics())


def merged_qwen2():
    """The layout of older Optimum: an If on use_cache_branch around decoders with and without a cache."""
    from optimum.onnx.graph_transformations import merge_decoders

    folder = folder_of("merged-qwen2")
    checkpoint = MODELS / "qwen2-tied-bf16"
    with tempfile.TemporaryDirectory() as scratch:
        plain, cached = Path(scratch) / "decoder.onnx", Path(scratch) / "decoder_with_past.onnx"
        optimum(checkpoint, cached, task="text-generation-with-past", no_post_process=True)
        # Without a cache: the same graph with empty caches as constants.
        graph = onnx.load(cached)
        graph.graph.name = "decoder"
        caches = [value for value in graph.graph.input if value.name.startswith("past")]
        for value in caches:
            graph.graph.input.remove(value)
            for node in graph.graph.node:
                for place, name in enumerate(node.input):
                    if name == value.name:
                        node.input[place] = "empty_" + name
            value.name = "empty_" + value.name
            ids = onnx.helper.make_node("Shape", ["input_ids"], [value.name + "/batch"], end=1)
            rest = onnx.helper.make_node("Constant", [], [value.name + "/rest"], value_ints=[2, 0, 10])
            dims = onnx.helper.make_node("Concat", [value.name + "/batch", value.name + "/rest"], [value.name + "/dims"],
                                         axis=0)
            empty = onnx.helper.make_node("ConstantOfShape", [value.name + "/dims"], [value.name])
            for node in (empty, dims, rest, ids):
                graph.graph.node.insert(0, node)
        onnx.save(graph, plain)
        merge_decoders(str(plain), str(cached), save_path=str(folder / "model.onnx"), strict=False)
    shutil.copy(checkpoint / "config.json", folder)
    refer(folder, "qwen2-tied-bf16")


def run_alone(graph_path, wanted, prompts, config, cache):
    """{hook: [batch, seq, …]} of the named tensors, each prompt run by itself by Python's onnxruntime."""
    model = onnx.load(graph_path)
    names = {output.name for output in model.graph.output}
    for tensor in wanted.values():
        if tensor not in names:
            model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))
    with tempfile.TemporaryDirectory() as scratch:
        onnx.save(model, Path(scratch) / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(str(Path(scratch) / "model.onnx"), options)
    ids = prompts["input_ids"].numpy()
    inputs = {value.name for value in session.get_inputs()}
    seen = {}
    for row, length in enumerate(LENGTHS):
        feeds = {"input_ids": ids[row:row + 1, :length], "attention_mask": np.ones((1, length), np.int64),
                 "position_ids": np.arange(length)[None]}
        empty = np.zeros((1, config.num_key_value_heads, 0, cache), np.float32)
        feeds |= {name: empty for name in inputs if name.startswith("past")}
        values = session.run(list(wanted.values()), {name: value for name, value in feeds.items() if name in inputs})
        for hook, value in zip(wanted, values):
            if hook.endswith("hook_pattern"):
                heads, most = value.shape[1], max(LENGTHS)
                whole = seen.setdefault(hook, torch.zeros(len(LENGTHS), heads, most, most))
                whole[row, :, :length, :length] = torch.from_numpy(value[0])
                continue
            whole = seen.setdefault(hook, torch.zeros(len(LENGTHS), max(LENGTHS), value.shape[-1]))
            whole[row, :length] = torch.from_numpy(value[0])
    return seen


def dequantised_norms(seen, weights, heads):
    """Head norms with the weights of the attention outputs, [in, out], as the quantised graph stores them."""
    norms = {}
    for index, weight in enumerate(weights):
        z = seen[f"blocks.{index}.attn.hook_z"].double()
        z = z.reshape(*z.shape[:2], heads, -1)
        by_head = torch.from_numpy(weight).double().reshape(heads, z.shape[-1], -1)
        norms[f"blocks.{index}.attn.head_norm"] = torch.einsum("bshi,hid->bshd", z, by_head).norm(dim=-1).float()
    return norms


def int8_qwen2():
    """transformers.js' model_quantized.onnx: weights in int8, activations quantised as they come.

    Weights keep to seven bits (`reduce_range`): without VNNI, processors add products of eight bits in sixteen and saturate,
    so that the graph would compute something else there.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = folder_of("int8-qwen2")
    shutil.copy(MODELS / "qwen2-tied-bf16" / "config.json", folder)
    (folder / "onnx").mkdir()
    path = folder / "onnx" / "model_quantized.onnx"
    quantize_dynamic(FIXTURES / "optimum-qwen2" / "model.onnx", path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
                     op_types_to_quantize=["MatMul"], extra_options={"EnableSubgraph": False, "MatMulConstBOnly": True})
    config = AutoModelForCausalLM.from_pretrained(MODELS / "qwen2-tied-bf16").config
    prompts, _ = draw(config.vocab_size, 14)
    wanted = {"logits": "logits"}
    for index in range(3):
        layer = f"/model/layers.{index}/"
        wanted |= {
            f"blocks.{index}.attn.hook_z": layer + "self_attn/Reshape_7_output_0",
            f"blocks.{index}.attn.hook_pattern": layer + "self_attn/Softmax_output_0",
            f"blocks.{index}.mlp.hook_pre": layer + "mlp/gate_proj/MatMul_output_0",
            f"blocks.{index}.mlp.hook_post": layer + "mlp/Mul_output_0",
            f"blocks.{index}.hook_resid_mid": layer + "Add_output_0",
            f"blocks.{index}.hook_resid_post": layer + "Add_1_output_0",
        }
    seen = run_alone(path, wanted, prompts, config, 10)
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = []
    for index in range(3):
        name = next(node.input[1] for node in graph.node if node.op_type == "MatMulInteger"
                    and f"layers.{index}/self_attn/o_proj" in node.output[0])
        base = name.removesuffix("_quantized")
        zero = stored[base + "_zero_point"].astype(np.float32)
        weights.append((stored[name].astype(np.float32) - zero) * stored[base + "_scale"])
    seen |= dequantised_norms(seen, weights, 4)
    save_file({name: values.contiguous() for name, values in (seen | prompts).items()}, folder / "expected.safetensors")


def int4_llama():
    """onnxruntime-genai with int4 weights: MatMulNBits, blocks of 32, a scale each and 8 for zero."""
    folder = folder_of("genai-int4-llama")
    genai(MODELS / "llama-llama3-sharded-bf16", folder, "int4")
    config = AutoModelForCausalLM.from_pretrained(MODELS / "llama-llama3-sharded-bf16").config
    prompts, _ = draw(config.vocab_size, 15)
    wanted = {"logits": "logits"}
    for index in range(3):
        layer = f"/model/layers.{index}/"
        wanted |= {
            f"blocks.{index}.attn.hook_z": layer + "attn/GroupQueryAttention/output_0",
            f"blocks.{index}.mlp.hook_pre": layer + "mlp/gate_proj/Add/output_0",
            f"blocks.{index}.mlp.hook_post": layer + "mlp/Mul/output_0",
            f"blocks.{index}.hook_resid_mid": layer + "post_attention_layernorm/output_3",
        }
    seen = run_alone(folder / "model.onnx", wanted, prompts, config, 16)
    stored = {tensor.name: numpy_helper.to_array(tensor, str(folder)) for tensor in onnx.load(folder / "model.onnx").graph.initializer}
    weights = []
    for index in range(3):
        base = f"model.layers.{index}.attn.o_proj.MatMul.weight"
        packed, scales = stored[base + "_Q4"], stored[base + "_scales"]
        out, blocks, _ = packed.shape
        nibbles = np.stack([packed & 15, packed >> 4], axis=-1).reshape(out, blocks, 32).astype(np.float32) - 8
        weights.append((nibbles * scales.reshape(out, blocks, 1)).reshape(out, -1)[:, :96].T.copy())
    seen |= dequantised_norms(seen, weights, 6)
    save_file({name: values.contiguous() for name, values in (seen | prompts).items()}, folder / "expected.safetensors")


def optimum_export(name, checkpoint, **options):
    folder = folder_of(name)
    optimum(MODELS / checkpoint, folder / "model.onnx", **options)
    shutil.copy(MODELS / checkpoint / "config.json", folder)
    refer(folder, checkpoint)


def genai_llama():
    """A Llama with heads of 16, as onnxruntime's GroupQueryAttention wants them, with plain rotary embedding."""
    torch.manual_seed(6)
    config = LlamaConfig(num_hidden_layers=2, hidden_size=24, intermediate_size=37, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=16, vocab_size=83, max_position_embeddings=64, bos_token_id=1,
                         eos_token_id=2, pad_token_id=0, attn_implementation="eager")
    model = LlamaForCausalLM(config)
    randomise(model, 6)
    model.eval()
    folder = folder_of("genai-llama")
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        genai(scratch, folder, "fp32")
    prompts, mask = draw(config.vocab_size, 16)
    seen = record(model, decoder_hooks, prompts["input_ids"], mask)
    seen = {name: values for name, values in seen.items() if not name.endswith("hook_pattern")}
    seen |= head_norms(4, model.model.layers, lambda layer: layer.self_attn.o_proj, seen)
    save_file({name: values.contiguous() for name, values in (seen | prompts).items()}, folder / "expected.safetensors")


MAKERS = {
    "tiny-random-gpt2": microsoft_gpt2,
    "torch-gpt2": torch_gpt2,
    "fused-gpt2": fused_gpt2,
    "optimum-qwen2": lambda: optimum_export("optimum-qwen2", "qwen2-tied-bf16", task="text-generation-with-past"),
    "optimum-olmo2": lambda: optimum_export("optimum-olmo2", "olmo2-bf16", task="text-generation"),
    "optimum-llama": lambda: optimum_export("optimum-llama", "llama-llama3-sharded-bf16", task="text-generation"),
    "merged-qwen2": merged_qwen2,
    "genai-llama": genai_llama,
    "int8-qwen2": int8_qwen2,
    "genai-int4-llama": int4_llama,
}

if __name__ == "__main__":
    words = sys.argv[1:]
    for name, make in MAKERS.items():
        if not words or any(word in name for word in words):
            print("==", name)
            make()
