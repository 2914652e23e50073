"""Makes test/fixtures/scores/captured.json and captured-mixture.json: scores of tiny checkpoints whose activations
transformers computed.

    pip install -r test/reference/requirements-scores.txt torch==2.9.1 transformers==4.57.3
    python test/reference/make_captured_scores.py

The whole way from a prompt to a score without babelscope: transformers runs test/fixtures/models/qwen2-tied-bf16, and the
mixture qwen2-moe-bf16 (fp32, eager attention), on the prompts of test/fixtures/probes-tiny, activations are pooled over
the tokens after the first, and scikit-learn, NumPy and statsmodels score them. Prompts that are missing are missing: one
item has no Ukrainian. A neuron of an expert is 0 at tokens that were not routed to the expert.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.anova import anova_lm
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from models import mixtures
from recording import decoder_hooks, head_norms, record

FIXTURES = Path(__file__).parent.parent / "fixtures"
LANGUAGES = ["en", "de", "uk"]
LAYERS, HEADS = 3, 4


def dense(model, ids):
    seen = record(model, decoder_hooks, ids, torch.ones_like(ids))
    return seen | head_norms(HEADS, model.model.layers, lambda layer: layer.self_attn.o_proj, seen)


def mixture(model, ids):
    # Of some thousand tokens a few have experts that are nearly tied; fp32's rounding is far below this.
    seen = mixtures.derive(model, record(model, mixtures.hooks, ids, torch.ones_like(ids)), margin=1e-5)
    return {name: values.nan_to_num(nan=0) for name, values in seen.items()}


def activations(model, tokenizer, text, run):
    """Of the tokens after the first, by hook point: [token, unit], patterns [head, token, key]."""
    seen = run(model, torch.tensor([tokenizer.encode(text).ids]))
    return {
        name: (values[0, :, 1:] if name.endswith("hook_pattern") else values[0, 1:]).double().numpy()
        for name, values in seen.items()
    }


def summaries(pattern):
    """Of every token: entropy in nats, mass on the first token, mass on the one before; [head, token] each."""
    log = np.log(np.where(pattern > 0, pattern, 1))
    before = np.stack([pattern[:, t, t] for t in range(pattern.shape[1])], axis=1)  # row t is of token t + 1
    return {"entropy": -(pattern * log).sum(2), "first": pattern[:, :, 0], "previous": before}


def clusters(column, rounding):
    """Values that another order of additions may tie or exchange get one number."""
    order = np.argsort(column)
    apart = np.diff(column[order]) > rounding(column[order][1:])
    numbers = np.empty(len(column), int)
    numbers[order] = np.concatenate([[0], np.cumsum(apart)])
    return numbers


def ranked(values, language, rounding):
    """values [prompt, unit]: by scikit-learn, [least, most] over the orders of values that rounding may exchange."""

    def ends(score, k, column):
        own = language == k
        near = clusters(column, rounding)
        # Precision is least where positives come last and one by one, most where they come first and tied. What is exactly
        # 0, of a prompt without a token for the expert, is tied in any case.
        one_by_one = np.arange(len(column)) / (10 * len(column))
        move = lambda of_own, of_others: np.where(column == 0, 0, np.where(own, of_own, of_others))
        least = near + move(one_by_one - 0.5, one_by_one + 0.25)
        return [float(score(own, least)), float(score(own, near + move(0.5, -0.25)))]

    every = lambda score: [[ends(score, k, column) for column in values.T] for k in range(len(LANGUAGES))]
    return {"ap": every(average_precision_score), "auroc": every(roc_auc_score)}


def two_way(values, language, item):
    """eta squared on the items that all languages have, by statsmodels' analysis of variance."""
    complete = np.isin(item, [i for i in set(item) if (item == i).sum() == len(LANGUAGES)])
    result = {"eta2Language": [], "eta2Item": []}
    for column in values[complete].T:
        frame = pd.DataFrame({"x": column, "item": item[complete], "language": language[complete]})
        squares = anova_lm(smf.ols("x ~ C(item) + C(language)", frame).fit())["sum_sq"]
        result["eta2Language"].append(float(squares["C(language)"] / squares.sum()))
        result["eta2Item"].append(float(squares["C(item)"] / squares.sum()))
    return result


single = lambda value: 1e-5 * np.maximum(1, np.abs(value))
half = lambda value: 2**-10 * np.abs(value) + 1e-5


def run_prompts(name, run):
    """(item, language, activations) of every prompt."""
    checkpoint = FIXTURES / "models" / name
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(str(FIXTURES / "tokenizer" / "tiny.tokenizer.json"))
    items = [json.loads(line) for line in (FIXTURES / "probes-tiny" / "items.jsonl").read_text().splitlines()]
    return [
        (i, k, activations(model, tokenizer, item["prompts"][tag]["text"], run))
        for i, item in enumerate(items)
        for k, tag in enumerate(LANGUAGES)
        if tag in item["prompts"]
    ]


def scorer(prompts):
    item, language = np.array([i for i, _, _ in prompts]), np.array([k for _, k, _ in prompts])
    return lambda values, rounding: {**ranked(values, language, rounding), **two_way(values, language, item)}


def make_dense():
    prompts = run_prompts("qwen2-tied-bf16", dense)
    scored = scorer(prompts)
    expected = []
    for layer in range(LAYERS):
        block = f"blocks.{layer}."
        pooled = lambda hook: np.array([seen[block + hook].max(0) for _, _, seen in prompts])
        tokens = lambda hook, k: np.concatenate([seen[block + hook] for _, own, seen in prompts if own == k])
        patterns = [(own, summaries(seen[block + "attn.hook_pattern"])) for _, own, seen in prompts]
        pattern_means = {
            name: [
                np.concatenate([p[name] for own, p in patterns if own == k], axis=1).mean(1).tolist()
                for k in range(len(LANGUAGES))
            ]
            for name in ("entropy", "first", "previous")
        }
        expected.append({
            "neuron": scored(pooled("mlp.hook_post"), half),
            "head": {**scored(pooled("attn.head_norm"), single), "pattern": pattern_means},
            "residual": {
                **scored(pooled("hook_resid_post"), single),
                "mean": [tokens("hook_resid_post", k).mean(0).tolist() for k in range(len(LANGUAGES))],
            },
        })
    write("captured", expected)


def make_mixture():
    prompts = run_prompts("qwen2-moe-bf16", mixture)
    scored = scorer(prompts)
    expected = {}
    for pooling, pool in (("mean", lambda values: values.mean(0)), ("last", lambda values: values[-1])):
        expected[pooling] = []
        for layer in range(LAYERS):
            pooled = lambda hook: np.array([pool(seen[f"blocks.{layer}.mlp.{hook}"]) for _, _, seen in prompts])
            neurons = pooled("hook_post")
            expected[pooling].append({
                "neuron": scored(neurons, half),
                "zeros": float((neurons == 0).mean()),
                **({"expert": scored(pooled("hook_router"), single)} if layer > 0 else {}),
            })
    write("captured-mixture", expected)


def write(name, expected):
    (FIXTURES / "scores" / f"{name}.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


make_dense()
make_mixture()
