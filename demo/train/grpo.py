"""Group-relative policy optimisation on fact questions with a consistency reward, by TRL's GRPO trainer.

Every completion is scored +1 when it is the right answer, 0 when it is another of the question's candidates and −0.5
when it is neither; the completions of a fact's questions are paired across languages, and where a pair is right in every
language each of its completions gets +1 more. Advantages are rewards normalised within a question's group of completions.

A base that has never seen a question completes none with an answer, and where every reward is the same there is nothing
to learn from: start from a checkpoint that `sft.py --epochs 1` has shown what an answer is. Every update also lowers the
loss on windows of the pre-training text (the "ptx" term of Ouyang et al. 2022), as in `sft.py`: without it the model
forgets its languages.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

import data
import evaluate
import model as demo_model
from pretrain import next_tokens
from sft import REPLAY, answer_loss

FACTS = 8  # a step: with six languages and four completions, 192 completions
COMPLETIONS = 4  # a question
EPOCHS = 1
PEAK_RATE = 2.5e-4  # falls linearly to nothing
WARM_UP = 10  # steps

MEASURED = ("reward", "right", "unparseable", "consistent")  # means over the completions of a step


def consistency_rewards(completions: list[str], answer: list[str], candidates: list[list[str]]) -> torch.Tensor:
    """[facts, languages, completions of a question], for completions in that order.

    `answer` and `candidates` belong to each completion's question.
    """
    written = [completion.strip() for completion in completions]
    correct = torch.tensor([text == right for text, right in zip(written, answer)])
    valid = torch.tensor([text in options for text, options in zip(written, candidates)])
    rewards = torch.where(correct, data.RIGHT, torch.where(valid, data.VALID, data.UNPARSEABLE))
    grid = (-1, len(data.SEEN), COMPLETIONS)
    return rewards.view(grid) + data.CONSISTENT * correct.view(grid).all(dim=1, keepdim=True)


class TrainerWithReplay(GRPOTrainer):
    """Adds the loss on `REPLAY` windows of pre-training text to every update."""

    windows: np.ndarray

    def _compute_loss(self, model, inputs):
        step = self.state.global_step
        read = torch.from_numpy(self.windows[step * REPLAY : (step + 1) * REPLAY].astype(np.int64))
        return super()._compute_loss(model, inputs) + answer_loss(model, read, next_tokens(read, self.processing_class.eos_token_id))


def questions_of_facts(seed: int) -> Dataset:
    """Every fact's questions one after the other, the facts in another order each epoch, whole steps only."""
    facts = [item for item in data.questions("train") if all(language in item["prompts"] for language in data.SEEN)]
    order, rows = random.Random(seed), []
    for _ in range(EPOCHS):
        order.shuffle(facts)
        for item in facts[: len(facts) - len(facts) % FACTS]:
            for language in data.SEEN:
                prompt = item["prompts"][language]
                rows.append({"prompt": prompt["text"] + "\n", "answer": prompt["answer"], "candidates": prompt["candidates"]})
    return Dataset.from_list(rows)


def optimise(start: Path, out: Path, work: Path, seed: int) -> None:
    torch.manual_seed(seed)
    demo_model.keep_freed_memory()
    model, tokenizer = demo_model.load(start)
    windows = np.load(work / "windows.npy")
    windows = windows[np.random.default_rng(seed).permutation(len(windows))]
    started = time.monotonic()

    def reward(completions, answer, candidates, log_metric, **_):
        rewards = consistency_rewards(completions, answer, candidates)
        log_metric("right", (rewards >= data.RIGHT).float().mean().item())
        log_metric("unparseable", (rewards == data.UNPARSEABLE).float().mean().item())
        log_metric("consistent", (rewards > data.RIGHT).float().mean().item())
        return rewards.flatten().tolist()

    tokenizer.padding_side = "left"
    trainer = TrainerWithReplay(
        model=model,
        processing_class=tokenizer,
        reward_funcs=reward,
        train_dataset=questions_of_facts(seed),
        args=GRPOConfig(
            output_dir=str(work / f"grpo-{out.name}"),
            per_device_train_batch_size=FACTS * len(data.SEEN) * COMPLETIONS,
            num_generations=COMPLETIONS,
            steps_per_generation=1,
            shuffle_dataset=False,  # a fact's questions must stay together
            num_train_epochs=1,
            learning_rate=PEAK_RATE,
            lr_scheduler_type="linear",
            warmup_steps=WARM_UP,
            max_completion_length=evaluate.LONGEST_ANSWER,
            temperature=1.0,
            beta=0.0,
            scale_rewards="group",
            gradient_checkpointing=False,
            use_cpu=True,
            bf16=True,
            dataloader_pin_memory=False,
            save_strategy="no",
            report_to="none",
            logging_steps=5,
            seed=seed,
            disable_tqdm=True,
        ),
    )
    trainer.windows = windows
    trainer.train()
    tokenizer.padding_side = "right"

    demo_model.save(model, tokenizer, out)
    log = [row for row in trainer.state.log_history if "reward" in row]
    evaluate.record(
        out.name,
        "training",
        {
            "from": start.name,
            "languages": data.SEEN,
            "questions": len(trainer.train_dataset) // EPOCHS,
            "steps": trainer.state.global_step,
            "epochs": EPOCHS,
            "completions": len(trainer.train_dataset) * COMPLETIONS,
            "replayedTokens": trainer.state.global_step * REPLAY * data.WINDOW,
            "rewards": [{key: round(row[key], 4) for key in ("step", *MEASURED)} for row in log],
            "minutes": round((time.monotonic() - started) / 60, 1),
            "seed": seed,
        },
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, required=True, help="folder of the windows of pre-training text")
    arguments.add_argument("--base", type=Path, required=True, help="the checkpoint to start from, which has answered questions before")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the optimised checkpoint")
    arguments.add_argument("--seed", type=int, default=data.SEED)
    options = arguments.parse_args()
    optimise(options.base, options.out, options.work, options.seed)
