"""Fill the tables of demo/README.md from demo/train/results/*.json.

A table stands between `<!-- table: name -->` and `<!-- end -->`; what was there is replaced.
"""

import json
import math
import re
from pathlib import Path

import data

TRAIN = Path(__file__).resolve().parent
README = TRAIN.parent / "README.md"
CHECKPOINTS = ("base", "cpt", "sft", "grpo", "cpt+grpo")
SEEDS = ("sft", "sft-2", "sft-3", "cold-base", "grpo", "grpo-2", "grpo-3", "cold-cpt", "cpt+grpo")
MEGABYTE = 1_000_000


def result(name: str) -> dict:
    return json.loads((TRAIN / "results" / f"{name}.json").read_text())


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def training() -> str:
    rows = {
        "started from": lambda t: t.get("from", "random weights"),
        "languages asked in": lambda t: f"{len(t['languages'])}" if "questions" in t else "–",
        "questions": lambda t: f"{t['questions']:,}" if "questions" in t else "–",
        "steps": lambda t: f"{t['steps']:,}",
        "epochs": lambda t: f"{t['epochs']}",
        "completions": lambda t: f"{t['completions']:,}" if "completions" in t else "–",
        "tokens of text": lambda t: f"{t.get('tokensSeen', t.get('replayedTokens')):,}",
        "minutes": lambda t: f"{t['minutes']}",
        "seed": lambda t: f"{t['seed']}",
    }
    trained = [result(name)["training"] for name in CHECKPOINTS]
    table = [[label, *(cell(of) for of in trained)] for label, cell in rows.items()]
    sizes = [(README.parent / "checkpoints" / name / "model.safetensors").stat().st_size for name in CHECKPOINTS]
    table.append(["model.safetensors", *(f"{size / MEGABYTE:.1f} MB" for size in sizes)])
    return markdown(["", *(f"`{name}`" for name in CHECKPOINTS)], table)


def rewards() -> str:
    """Mean reward in tenths of each run, the first tenth and the last among them."""
    rows = []
    for name in (name for name in dict.fromkeys((*CHECKPOINTS, *SEEDS)) if "rewards" in result(name)["training"]):
        values = [row["reward"] for row in result(name)["training"]["rewards"]]
        tenth = max(1, len(values) // 10)
        means = [sum(values[at : at + tenth]) / tenth for at in (0, 2 * tenth, 4 * tenth, 6 * tenth, len(values) - tenth)]
        rows.append([f"`{name}`", *(f"{mean:.2f}" for mean in means)])
    return markdown(["", "first tenth", "third", "fifth", "seventh", "last"], rows)


def corpus() -> str:
    sources = result("base")["training"]["corpus"]
    rows = [
        [language, f"{sources['monolingual'][language]:,}", f"{sources['statements'][language]:,}"]
        for language in data.LANGUAGES
    ]
    totals = [sum(sources[source].values()) for source in ("monolingual", "statements")]
    return markdown(["language", "documentation", "facts"], [*rows, ["all", *(f"{total:,}" for total in totals)]])


def validation() -> str:
    curve = result("base")["training"]["validation"]
    chosen = [row for index, row in enumerate(curve) if index % 3 == 0 or index >= len(curve) - 3]
    return markdown(
        ["step", *(f"{row['step']:,}" for row in chosen)], [["mean loss", *(f"{row['loss']:.3f}" for row in chosen)]]
    )


def perplexity(text: str) -> str:
    measured = [result(name)["evaluation"]["perplexity"][text] for name in CHECKPOINTS]
    rows = [[of, *(f"{table[of]['perplexity']:.1f}" for table in measured)] for of in data.LANGUAGES]
    return markdown(["language", *(f"`{name}`" for name in CHECKPOINTS)], rows)


def accuracy(split: str) -> str:
    measured = [result(name)["evaluation"]["facts"][split] for name in CHECKPOINTS]
    unseen = {language: f"{language} (unseen)" for language in data.UNSEEN}
    rows = [
        [unseen.get(of, of), *(percent(facts["byLanguage"]["answer"][of]) for facts in measured)]
        for of in (*data.SEEN, *data.UNSEEN)
    ]
    rows += [
        ["six seen", *(percent(facts["seen"]) for facts in measured)],
        ["two unseen", *(percent(facts["unseen"]) for facts in measured)],
        ["facts right in all six seen", *(percent(facts["rightInAllSeen"]) for facts in measured)],
        ["facts right in all eight", *(percent(facts["rightInAllLanguages"]) for facts in measured)],
        ["all, with the end token", *(percent(facts["all"]["end"]) for facts in measured)],
        ["all, mean over tokens", *(percent(facts["all"]["mean"]) for facts in measured)],
    ]
    if split == "train":  # the base read no held-out fact in any language
        rows += [
            ["read in that language (not en)", *(percent(facts["statedOutsideEnglish"]) for facts in measured)],
            ["read in English only", *(percent(facts["unstatedOutsideEnglish"]) for facts in measured)],
        ]
    return markdown([f"{measured[0]['facts']} facts", *(f"`{name}`" for name in CHECKPOINTS)], rows)


def seeds() -> str:
    rows = []
    for name in SEEDS:
        facts = result(name)["evaluation"]["facts"]
        texts = result(name)["evaluation"]["perplexity"]["pydocs"]
        perplexities = [texts[of]["perplexity"] for of in data.LANGUAGES]
        rows.append([
            f"`{name}`",
            f"{result(name)['training']['seed']}",
            *(percent(facts[split][key]) for split in ("train", "heldout") for key in ("seen", "unseen", "rightInAllSeen")),
            f"{math.exp(sum(map(math.log, perplexities)) / len(perplexities)):.1f}",
        ])
    head = [f"{split}, {of}" for split in ("trained", "held out") for of in ("seen", "unseen", "all six right")]
    return markdown(["", "seed", *head, "perplexity, pydocs"], rows)


def written() -> str:
    rows = []
    for name in ("base", "cpt", *SEEDS):
        cells = [f"`{name}`"]
        for split in ("train", "heldout"):
            share = result(name)["written"][split]
            reward = data.RIGHT * share["right"] + data.CONSISTENT * share["rightInAllSeen"] + data.UNPARSEABLE * (1 - share["candidate"])
            cells += [*(percent(share[key]) for key in ("right", "candidate", "rightInAllSeen")), f"{reward:.2f}"]
        rows.append(cells)
    head = [f"{split}, {of}" for split in ("trained", "held out") for of in ("right", "a candidate", "all six right", "reward")]
    return markdown(["", *head], rows)


def relations() -> str:
    measured = [result(name)["evaluation"]["facts"]["train"]["byRelation"] for name in CHECKPOINTS]
    rows = [[relation, *(percent(table[relation]) for table in measured)] for relation in measured[0]]
    return markdown(["relation", *(f"`{name}`" for name in CHECKPOINTS)], rows)


TABLES = {
    "training": training,
    "rewards": rewards,
    "corpus": corpus,
    "validation": validation,
    "perplexity-validation": lambda: perplexity("validation"),
    "perplexity-pydocs": lambda: perplexity("pydocs"),
    "accuracy-trained": lambda: accuracy("train"),
    "accuracy-heldout": lambda: accuracy("heldout"),
    "seeds": seeds,
    "written": written,
    "relations": relations,
}

if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    filled = re.sub(
        r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}",
        text,
        flags=re.DOTALL,
    )
    README.write_text(filled, encoding="utf-8")
