"""Fill the tables of demo/README.md from demo/train/results/*.json.

A table stands between `<!-- table: name -->` and `<!-- end -->`; what was there is replaced.
"""

import json
import re
from pathlib import Path

import data

TRAIN = Path(__file__).resolve().parent
README = TRAIN.parent / "README.md"
CHECKPOINTS = ("base", "sft")
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
        "steps": lambda t: f"{t['steps']:,}",
        "epochs": lambda t: f"{t['epochs']}",
        "questions": lambda t: f"{t['questions']:,}" if "questions" in t else "–",
        "tokens of text": lambda t: f"{t.get('tokensSeen', t.get('replayedTokens')):,}",
        "tokens of answers": lambda t: f"{t['answerTokens']:,}" if "answerTokens" in t else "–",
        "minutes": lambda t: f"{t['minutes']}",
        "seed": lambda t: f"{t['seed']}",
    }
    trained = [result(name)["training"] for name in CHECKPOINTS]
    table = [[label, *(cell(of) for of in trained)] for label, cell in rows.items()]
    sizes = [(README.parent / "checkpoints" / name / "model.safetensors").stat().st_size for name in CHECKPOINTS]
    table.append(["model.safetensors", *(f"{size / MEGABYTE:.1f} MB" for size in sizes)])
    return markdown(["", *(f"`{name}`" for name in CHECKPOINTS)], table)


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


def perplexity() -> str:
    measured = {name: result(name)["evaluation"]["perplexity"] for name in CHECKPOINTS}
    columns = [(text, name) for text in ("validation", "pydocs") for name in CHECKPOINTS]
    rows = [
        [language, *(f"{measured[name][text][language]['perplexity']:.1f}" for text, name in columns)]
        for language in data.LANGUAGES
    ]
    title = {"validation": "held-out lines", "pydocs": "pydocs probes"}
    return markdown(["language", *(f"{title[text]}, `{name}`" for text, name in columns)], rows)


def accuracy() -> str:
    measured = {name: result(name)["evaluation"]["facts"] for name in CHECKPOINTS}
    columns = [(split, name) for split in ("train", "heldout") for name in CHECKPOINTS]
    of = [measured[name][split] for split, name in columns]
    rows = [[language, *(percent(facts["byLanguage"]["answer"][language]) for facts in of)] for language in data.LANGUAGES]
    rows += [
        ["all", *(percent(facts["all"]["answer"]) for facts in of)],
        ["all, with the end token", *(percent(facts["all"]["end"]) for facts in of)],
        ["all, mean over tokens", *(percent(facts["all"]["mean"]) for facts in of)],
        ["facts right in all eight", *(percent(facts["rightInAllLanguages"]) for facts in of)],
        ["read in that language (not en)", *(percent_or_none(facts["statedOutsideEnglish"], split) for facts, (split, _) in zip(of, columns))],
        ["read in English only", *(percent_or_none(facts["unstatedOutsideEnglish"], split) for facts, (split, _) in zip(of, columns))],
        ["chance", *(percent(facts["chance"]) for facts in of)],
        ["facts", *(str(facts["facts"]) for facts in of)],
    ]
    title = {"train": "trained", "heldout": "held out"}
    return markdown(["", *(f"{title[split]}, `{name}`" for split, name in columns)], rows)


def percent_or_none(share: float | None, split: str) -> str:
    """The base read no held-out fact in any language."""
    return percent(share) if split == "train" and share is not None else "–"


def relations() -> str:
    measured = {name: result(name)["evaluation"]["facts"] for name in CHECKPOINTS}
    columns = [(split, name) for split in ("train", "heldout") for name in CHECKPOINTS]
    title = {"train": "trained", "heldout": "held out"}
    rows = [
        [relation, *(percent(measured[name][split]["byRelation"][relation]) for split, name in columns)]
        for relation in measured["base"]["train"]["byRelation"]
    ]
    return markdown(["relation", *(f"{title[split]}, `{name}`" for split, name in columns)], rows)


TABLES = {table.__name__: table for table in (training, corpus, validation, perplexity, accuracy, relations)}

if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    filled = re.sub(
        r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}",
        text,
        flags=re.DOTALL,
    )
    README.write_text(filled, encoding="utf-8")
