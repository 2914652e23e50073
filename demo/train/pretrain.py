"""Train the base from scratch: AdamW, bfloat16 autocast, a constant rate after the warm-up and a linear decay at the end.

Under `torchrun --nproc-per-node {cores}` each core takes its share of every batch.

Before the decay begins, the run does not depend on `--steps`: a run resumed with fewer steps, because the machine turned
out slower than planned, is the run that would have been started with that many. `state.pt` in the work folder resumes;
the finished base is written to `--out`, the log to `pretrain.jsonl` in the work folder.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoTokenizer

import data
import evaluate
import model as demo_model
import parallel

BATCH = 16  # windows, 4,096 tokens
PEAK_RATE = 2.5e-3
WARM_UP = 100  # steps
DECAY_SHARE = 0.25  # of all steps
FINAL_SHARE = 0.02  # of the peak rate
WEIGHT_DECAY = 0.1
CLIP = 1.0
SAVE_EVERY = 200  # steps
VALIDATE_EVERY = 400  # steps
VALIDATION_LINES = 60  # a language, while training


def rate(step: int, steps: int) -> float:
    decay_from = int(steps * (1 - DECAY_SHARE))
    if step < decay_from:
        return PEAK_RATE * min(1.0, (step + 1) / WARM_UP)
    left = (steps - step) / (steps - decay_from)
    return PEAK_RATE * (FINAL_SHARE + (1 - FINAL_SHARE) * left)


def batch_at(windows: np.ndarray, step: int, rank: int, ranks: int) -> torch.Tensor:
    """One process's share of the windows of one step: every epoch is a seeded permutation of all of them."""
    steps_an_epoch = len(windows) // BATCH
    epoch, within = divmod(step, steps_an_epoch)
    order = np.random.default_rng([data.SEED, epoch]).permutation(len(windows))
    chosen = order[within * BATCH : (within + 1) * BATCH]
    return torch.from_numpy(windows[chosen[rank::ranks]].astype(np.int64))


def parameter_groups(model: torch.nn.Module) -> list[dict]:
    """Weight decay on matrices, none on norms and biases."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]


def pretrain(work: Path, out: Path, steps: int) -> None:
    rank, ranks = parallel.start()
    torch.manual_seed(data.SEED)
    demo_model.keep_freed_memory()
    tokenizer = AutoTokenizer.from_pretrained(work / "tokenizer")
    windows = np.load(work / "windows.npy")
    model = demo_model.new_model(tokenizer)
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=PEAK_RATE, betas=(0.9, 0.95), fused=True)
    step, seconds = 0, 0.0
    state_file = work / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]

    @torch.compile
    def loss_of(ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=ids, use_cache=False).logits
        return cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100)

    log = (work / "pretrain.jsonl").open("a")  # only the first process writes
    started = time.monotonic() - seconds
    running = None
    while step < steps:
        ids = batch_at(windows, step, rank, ranks)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(ids, next_tokens(ids, tokenizer.eos_token_id))
        loss.backward()
        parallel.average_gradients(model, ranks)
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        if rank > 0:
            continue
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        row = {"step": step, "seconds": round(time.monotonic() - started), "loss": round(running, 4)}
        if step % VALIDATE_EVERY == 0 or step == steps:
            losses = evaluate.validation_losses(model, tokenizer, VALIDATION_LINES)
            row["validation"] = {language: round(value, 4) for language, value in losses.items()}
            row["mean"] = round(sum(losses.values()) / len(losses), 4)
        if step % 50 == 0 or step == steps:
            print(json.dumps(row), file=log, flush=True)
        if step % SAVE_EVERY == 0 or step == steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state | {"seconds": time.monotonic() - started}, state_file.with_suffix(".partial"))
            state_file.with_suffix(".partial").rename(state_file)

    parallel.stop(ranks)
    if rank > 0:
        return
    demo_model.save(model, tokenizer, out)
    evaluate.record(
        out.name,
        "training",
        {
            "steps": steps,
            "tokensSeen": steps * BATCH * data.WINDOW,
            "epochs": round(steps * BATCH / len(windows), 2),
            "minutes": round((time.monotonic() - started) / 60, 1),
            "seed": data.SEED,
            "parameters": sum(p.numel() for p in model.parameters()),
            "corpus": json.loads((work / "data.json").read_text()),
            "validation": validation_curve(work / "pretrain.jsonl"),
        },
    )


def next_tokens(ids: torch.Tensor, end: int) -> torch.Tensor:
    """Targets: the following token; none across the padding and none from a document's end to an unrelated start."""
    targets = ids.roll(-1, dims=1)
    targets[:, -1] = -100
    return targets.masked_fill(ids == end, -100)


def validation_curve(log: Path) -> list[dict]:
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    last = {row["step"]: row["mean"] for row in rows if "mean" in row}  # a resumed run may log a step twice
    return [{"step": step, "loss": loss} for step, loss in sorted(last.items())]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, required=True, help="folder of the tokenizer and the windows")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    arguments.add_argument("--steps", type=int, required=True)
    options = arguments.parse_args()
    pretrain(options.work, options.out, options.steps)
