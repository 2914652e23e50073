"""Fine-tune a checkpoint on fact questions: "question\\nanswer<|endoftext|>", with the loss on the answer and its end.

Every step also replays windows of the pre-training text: without them the model answered, and forgot its languages (in
a trial from an early base, perplexity on documentation rose more than twentyfold).

Only trained facts, in the seen languages; the held-out facts and the unseen languages are asked by `evaluate.py` alone.
The replayed text has all eight languages: what is unseen in Korean and Portuguese is the questions.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch

import data
import evaluate
import model as demo_model
from pretrain import CLIP, next_tokens, parameter_groups

BATCH = 32  # questions
REPLAY = 2  # windows of pre-training text a step
EPOCHS = 4
PEAK_RATE = 1e-3
WARM_UP = 40  # steps


def examples(tokenizer) -> list[tuple[list[int], list[int]]]:
    """(question, answer) token ids of the trained facts."""
    return [
        (tokenizer(prompt["text"] + "\n")["input_ids"], [*tokenizer(prompt["answer"])["input_ids"], tokenizer.eos_token_id])
        for item in data.questions("train")
        for language, prompt in item["prompts"].items()
        if language in data.SEEN
    ]


def padded(batch: list[tuple[list[int], list[int]]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """ids and targets [batch, longest]; padding stands on the right and only answers have targets."""
    longest = max(len(question) + len(answer) for question, answer in batch)
    ids = torch.full((len(batch), longest), padding)
    targets = torch.full((len(batch), longest), -100)
    for row, (question, answer) in enumerate(batch):
        length = len(question) + len(answer)
        ids[row, :length] = torch.tensor(question + answer)
        targets[row, len(question) - 1 : length - 1] = torch.tensor(answer)
    return ids, targets


def answer_loss(model, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean loss of the tokens that have targets; the unembedding is computed for those alone."""
    with torch.autocast("cpu", torch.bfloat16):
        states = model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.lm_head(states[targets != -100])
    return torch.nn.functional.cross_entropy(logits.float(), targets[targets != -100])


def answer_questions(model, tokenizer, pairs, windows: np.ndarray, seed: int, epochs: int, after_step) -> int:
    """Trains the model on the pairs, replaying windows in a seeded order; the number of steps.

    `after_step` is called with the number of steps done after each.
    """
    model.train()
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=PEAK_RATE, betas=(0.9, 0.95), fused=True)
    steps = epochs * (len(pairs) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARM_UP, (steps - step) / (steps - WARM_UP))
    )
    order = random.Random(seed)
    replayed = np.random.default_rng(seed).permutation(len(windows))
    started, step = time.monotonic(), 0
    for epoch in range(epochs):
        order.shuffle(pairs)
        total = 0.0
        for first in range(0, len(pairs) - BATCH + 1, BATCH):
            questions = padded(pairs[first : first + BATCH], tokenizer.pad_token_id)
            read = torch.from_numpy(windows[replayed[step * REPLAY : (step + 1) * REPLAY]].astype(np.int64))
            loss = answer_loss(model, *questions)
            (loss + answer_loss(model, read, next_tokens(read, tokenizer.eos_token_id))).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.item()
            step += 1
            after_step(step)
        print(f"epoch {epoch + 1}: loss {total / (len(pairs) // BATCH):.4f}, {time.monotonic() - started:.0f} s", flush=True)
    return step


def fine_tune(start: Path, out: Path, windows: np.ndarray, seed: int, epochs: int, save_every: int | None) -> None:
    torch.manual_seed(seed)
    demo_model.keep_freed_memory()
    model, tokenizer = demo_model.load(start)
    pairs = examples(tokenizer)
    started = time.monotonic()

    def after_step(step: int) -> None:
        if save_every is not None and step % save_every == 0:
            demo_model.save(model, tokenizer, out.with_name(f"{out.name}@step{step}"))

    steps = answer_questions(model, tokenizer, pairs, windows, seed, epochs, after_step)
    demo_model.save(model, tokenizer, out)
    evaluate.record(
        out.name,
        "training",
        {
            "from": start.name,
            "languages": data.SEEN,
            "questions": len(pairs),
            "steps": steps,
            "epochs": epochs,
            "replayedTokens": steps * REPLAY * data.WINDOW,
            "minutes": round((time.monotonic() - started) / 60, 1),
            "seed": seed,
        },
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, required=True, help="folder of the windows of pre-training text")
    arguments.add_argument("--base", type=Path, required=True, help="the checkpoint to start from")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the fine-tuned checkpoint")
    arguments.add_argument("--seed", type=int, default=data.SEED)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument(
        "--save-every", type=int, metavar="STEPS", help="also save the checkpoint every so many steps, as {out}@step{n}"
    )
    options = arguments.parse_args()
    windows = np.load(options.work / "windows.npy")
    fine_tune(options.base, options.out, windows, options.seed, options.epochs, options.save_every)
