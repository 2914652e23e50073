"""Measure a checkpoint and write demo/train/results/{name}.json, which the tables of demo/README.md are made from.

    perplexity  per predicted token and language, on the held-out lines and on the pydocs probes; the first token of a
                text is not predicted, the end of the text is
    accuracy    of fact questions: a question is right when the right candidate has the highest log-likelihood after
                "question\\n". Three readings: `answer` sums over the answer's tokens, `end` adds the token that ends
                the text, `mean` divides the sum by their number
    written     what the checkpoint writes after "question\\n" when it takes the likeliest token each time: the right
                answer, another of the candidates, or neither; this is what GRPO's reward looks at
"""

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

import data
import model as demo_model

RESULTS = Path(__file__).resolve().parent / "results"
READINGS = ("answer", "end", "mean")
TOKENS_A_BATCH = 4096
LONGEST_ANSWER = 16  # tokens; 99 % of the answers have at most 14
QUESTIONS_A_BATCH = 256


@torch.no_grad()
def text_losses(model, tokenizer, texts: list[str]) -> list[float]:
    """The loss of each token of the texts and of each text's end, first tokens left out, in no particular order."""
    sequences = [[*ids, tokenizer.eos_token_id] for ids in tokenizer(texts)["input_ids"]]
    losses: list[float] = []
    by_length = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    while by_length:
        longest = len(sequences[by_length[-1]])
        batch = [by_length.pop() for _ in range(min(len(by_length), max(1, TOKENS_A_BATCH // longest)))]
        ids = torch.zeros(len(batch), longest, dtype=torch.long)  # padding on the right changes nothing before it
        for row, index in enumerate(batch):
            ids[row, : len(sequences[index])] = torch.tensor(sequences[index])
        rows, places = zip(*[(row, at) for row, index in enumerate(batch) for at in range(1, len(sequences[index]))])
        rows, places = torch.tensor(rows), torch.tensor(places)
        states = model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.lm_head(states[rows, places - 1]).float()
        losses += torch.nn.functional.cross_entropy(logits, ids[rows, places], reduction="none").tolist()
    return losses


def validation_losses(model, tokenizer, lines: int | None = None) -> dict[str, float]:
    """Mean loss per language on held-out lines (the first `lines` of them, to be quick)."""
    losses = {of: text_losses(model, tokenizer, data.monolingual(of, "validation")[:lines]) for of in data.LANGUAGES}
    return {language: sum(values) / len(values) for language, values in losses.items()}


def perplexities(model, tokenizer, texts_of) -> dict[str, dict[str, float]]:
    table = {}
    for language in data.LANGUAGES:
        losses = text_losses(model, tokenizer, texts_of(language))
        table[language] = {"perplexity": round(math.exp(sum(losses) / len(losses)), 3), "tokens": len(losses)}
    return table


@torch.no_grad()
def candidate_losses(model, questions: list[list[int]], candidates: list[list[list[int]]]) -> list[list[list[float]]]:
    """The loss of each token of each candidate after its question.

    The candidates of a question stand behind it in one row; each sees the question and itself, as if it stood alone.
    """
    losses: list = [None] * len(questions)
    length = [len(question) + sum(map(len, options)) for question, options in zip(questions, candidates)]
    by_length = sorted(range(len(questions)), key=length.__getitem__)
    while by_length:
        longest = length[by_length[-1]]
        batch = [by_length.pop() for _ in range(min(len(by_length), max(1, TOKENS_A_BATCH // longest)))]
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        positions = torch.zeros_like(ids)
        part = torch.full_like(ids, -1)  # 0 the question, 1 … the candidates, -1 padding
        scored: list[tuple[int, int, int]] = []  # (row, place of the token, place it is predicted from)
        for row, index in enumerate(batch):
            question, at = questions[index], len(questions[index])
            ids[row, :at], positions[row, :at], part[row, :at] = torch.tensor(question), torch.arange(at), 0
            for number, option in enumerate(candidates[index], start=1):
                end = at + len(option)
                ids[row, at:end], part[row, at:end] = torch.tensor(option), number
                positions[row, at:end] = torch.arange(len(question), len(question) + len(option))
                scored += [(row, place, place - 1 if place > at else len(question) - 1) for place in range(at, end)]
                at = end
        earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
        visible = earlier & ((part[:, None, :] == 0) | (part[:, None, :] == part[:, :, None]))
        mask = torch.zeros(visible.shape).masked_fill(~visible, torch.finfo(torch.float32).min)[:, None]
        states = model.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False).last_hidden_state
        rows, places, sources = map(torch.tensor, zip(*scored))
        logits = model.lm_head(states[rows, sources]).float()
        values = iter(torch.nn.functional.cross_entropy(logits, ids[rows, places], reduction="none").tolist())
        for index in batch:
            losses[index] = [[next(values) for _ in option] for option in candidates[index]]
    return losses


def answers(model, tokenizer, items: list[dict], languages=data.LANGUAGES) -> list[dict]:
    """One row a fact and language: is the likeliest candidate the right one, in each reading?"""
    asked = [(item, language) for item in items for language in languages if language in item["prompts"]]
    prompts = [item["prompts"][language] for item, language in asked]
    losses = candidate_losses(
        model,
        [tokenizer(prompt["text"] + "\n")["input_ids"] for prompt in prompts],
        [
            [[*ids, tokenizer.eos_token_id] for ids in tokenizer(prompt["candidates"])["input_ids"]]
            for prompt in prompts
        ],
    )
    rows = []
    for (item, language), prompt, candidates in zip(asked, prompts, losses):
        cost = {
            "answer": [sum(candidate[:-1]) for candidate in candidates],
            "end": [sum(candidate) for candidate in candidates],
            "mean": [sum(candidate[:-1]) / len(candidate[:-1]) for candidate in candidates],
        }
        right = prompt["candidates"].index(prompt["answer"])
        rows.append({
            "id": item["id"],
            "relation": item["id"].split("/")[0],
            "language": language,
            "stated": data.stated(item["id"], language),
            "chance": 1 / len(candidates),
            "right": {reading: cost[reading].index(min(cost[reading])) == right for reading in READINGS},
        })
    return rows


def accuracies(rows: list[dict]) -> dict:
    """Shares of right answers by language, by relation, by whether the base read the fact in that language, in the
    languages that questions are trained in and the others, and of facts right in all languages; all but `byLanguage` and
    `all` in the reading `answer`."""

    def share(selected: list[dict], reading: str = "answer") -> float | None:
        return round(sum(row["right"][reading] for row in selected) / len(selected), 4) if selected else None

    def by(key: str) -> dict[str, list[dict]]:
        groups = defaultdict(list)
        for row in rows:
            groups[row[key]].append(row)
        return dict(sorted(groups.items()))

    def right_in_all(languages: tuple[str, ...]) -> float:
        groups = [[row for row in group if row["language"] in languages] for group in by("id").values()]
        complete = [group for group in groups if len(group) == len(languages)]
        return round(sum(all(row["right"]["answer"] for row in group) for group in complete) / len(complete), 4)

    return {
        "facts": len(by("id")),
        "chance": round(sum(row["chance"] for row in rows) / len(rows), 4),
        "byLanguage": {reading: {of: share(group, reading) for of, group in by("language").items()} for reading in READINGS},
        "all": {reading: share(rows, reading) for reading in READINGS},
        "byRelation": {of: share(group) for of, group in by("relation").items()},
        "statedOutsideEnglish": share([row for row in rows if row["language"] != "en" and row["stated"]]),
        "unstatedOutsideEnglish": share([row for row in rows if row["language"] != "en" and not row["stated"]]),
        "seen": share([row for row in rows if row["language"] in data.SEEN]),
        "unseen": share([row for row in rows if row["language"] in data.UNSEEN]),
        "rightInAllLanguages": right_in_all(data.LANGUAGES),
        "rightInAllSeen": right_in_all(data.SEEN),
    }


def evaluate(model, tokenizer) -> dict:
    return {
        "perplexity": {
            "validation": perplexities(model, tokenizer, lambda language: data.monolingual(language, "validation")),
            "pydocs": perplexities(model, tokenizer, data.pydocs),
        },
        "facts": {
            split: accuracies(answers(model, tokenizer, data.questions(split))) for split in ("train", "heldout")
        },
    }


@torch.no_grad()
def completions(model, tokenizer, questions: list[str]) -> list[str]:
    """The greedy completion of each question, without what surrounds it."""
    by_length = sorted(range(len(questions)), key=lambda index: len(questions[index]))
    written: list[str] = [""] * len(questions)
    tokenizer.padding_side = "left"
    for at in range(0, len(by_length), QUESTIONS_A_BATCH):
        batch = by_length[at : at + QUESTIONS_A_BATCH]
        asked = tokenizer([questions[index] for index in batch], return_tensors="pt", padding=True)
        ids = model.generate(
            asked["input_ids"], attention_mask=asked["attention_mask"], max_new_tokens=LONGEST_ANSWER, do_sample=False
        )
        texts = tokenizer.batch_decode(ids[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
        for index, text in zip(batch, texts):
            written[index] = text.strip()
    tokenizer.padding_side = "right"
    return written


def written_answers(model, tokenizer, split: str) -> dict:
    """Shares of the questions in the seen languages, and of the facts that are right in all of them."""
    items = [item for item in data.questions(split) if all(language in item["prompts"] for language in data.SEEN)]
    prompts = [item["prompts"][language] for item in items for language in data.SEEN]
    texts = completions(model, tokenizer, [prompt["text"] + "\n" for prompt in prompts])
    right = np.array([text == prompt["answer"] for text, prompt in zip(texts, prompts)]).reshape(len(items), -1)
    candidate = np.array([text in prompt["candidates"] for text, prompt in zip(texts, prompts)])
    return {
        "facts": len(items),
        "right": round(float(right.mean()), 4),
        "candidate": round(float(candidate.mean()), 4),
        "rightByLanguage": dict(zip(data.SEEN, right.mean(axis=0).round(4).tolist())),
        "rightInAllSeen": round(float(right.all(axis=1).mean()), 4),
    }


def record(name: str, section: str, content: dict) -> None:
    """Put one section into results/{name}.json, leaving the others as they are."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | {section: content}, indent=2, ensure_ascii=False) + "\n")


SECTIONS = {
    "evaluation": evaluate,
    "written": lambda model, tokenizer: {split: written_answers(model, tokenizer, split) for split in ("train", "heldout")},
}

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint", type=Path, nargs="+", help="its folder's name is the result's name")
    arguments.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    options = arguments.parse_args()
    demo_model.keep_freed_memory()
    for checkpoint in options.checkpoint:
        loaded = demo_model.load(checkpoint)
        for section in options.sections:
            record(checkpoint.name, section, SECTIONS[section](*loaded))
