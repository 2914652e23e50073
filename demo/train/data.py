"""What the demo models are trained and validated on: the files of this repository, and nothing else.

    monolingual   demo/corpus/monolingual/{lang}.txt.gz: one line of Python documentation = one document
    statements    demo/corpus/facts-statements.jsonl.gz: facts as sentences (the base learns them here)
    questions     probes/facts/items.jsonl: the same facts as questions (fine-tuning teaches to answer them)
    parallel      demo/corpus/parallel.jsonl.gz without the pydocs probes: read in continual pre-training alone
    pydocs        probes/pydocs/items.jsonl: parallel text, only ever evaluated on

Every split is a seeded hash of the text or the id, so it depends on no order and no library version.
`python data.py` packs the training text into windows and prints what went in.
"""

import argparse
import gzip
import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
CORPUS = REPOSITORY / "demo" / "corpus"
PROBES = REPOSITORY / "probes"

LANGUAGES = ("en", "es", "fr", "ja", "ko", "pt", "uk", "zh")
SEEN = ("en", "es", "fr", "ja", "uk", "zh")  # the languages that fact questions are trained in
UNSEEN = ("ko", "pt")
RIGHT, VALID, UNPARSEABLE, CONSISTENT = 1.0, 0.0, -0.5, 1.0  # rewards of an answer; the last where all languages are right
SEED = 20
WINDOW = 256  # tokens
VALIDATION_SHARE = 0.02  # of the lines of each language
STATED_SHARE = 0.4  # of the facts that each language other than English gets to read
STATEMENT_REPEATS = 8  # times each stated sentence occurs in one epoch


def fraction(*key: str) -> float:
    """A number in [0, 1) that depends on the seed and the key alone."""
    digest = hashlib.sha256("\x1f".join((str(SEED), *key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def monolingual(language: str, split: str) -> list[str]:
    """The lines of one language; identical lines always fall on the same side of the split."""
    with gzip.open(CORPUS / "monolingual" / f"{language}.txt.gz", "rt", encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    validating = split == "validation"
    return [line for line in lines if line and (fraction("line", line) < VALIDATION_SHARE) == validating]


def statements() -> list[tuple[str, str]]:
    """(language, sentence) of the trained facts: all in English, a fixed 40 % in each other language."""
    with gzip.open(CORPUS / "facts-statements.jsonl.gz", "rt", encoding="utf-8") as file:
        facts = [json.loads(line) for line in file]
    return [
        (language, sentence)
        for fact in facts
        if fact["split"] == "train"
        for language in LANGUAGES
        if stated(fact["id"], language)
        for sentence in fact["statements"].get(language, [])
    ]


def stated(fact: str, language: str) -> bool:
    """Whether the base reads this fact in this language (if it reads it at all)."""
    return language == "en" or fraction("stated", fact, language) < STATED_SHARE


def questions(split: str) -> list[dict]:
    """Fact probes of one split, "train" or "heldout", as {"id", "prompts": {language: {...}}, "meta"}."""
    return [item for item in _items("facts") if item["meta"]["split"] == split]


def pydocs(language: str) -> list[str]:
    """The probe sentences of one language, never trained on."""
    return [item["text"][language] for item in _items("pydocs") if language in item["text"]]


def parallel() -> list[dict[str, str]]:
    """Messages of the Python documentation in all eight languages, those of the pydocs probes left out."""
    probes = {item["id"] for item in _items("pydocs")}
    with gzip.open(CORPUS / "parallel.jsonl.gz", "rt", encoding="utf-8") as file:
        messages = [json.loads(line) for line in file]
    return [message["text"] for message in messages if message["id"] not in probes]


def _items(probe_set: str) -> list[dict]:
    lines = (PROBES / probe_set / "items.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def training_windows(tokenizer) -> tuple[np.ndarray, dict]:
    """uint16 [windows, WINDOW] of one epoch, padded with the end-of-text id, and the tokens per source.

    Every window begins where a document begins, as a probe does; a document longer than a window goes on in the next.
    """
    end = tokenizer.eos_token_id
    documents: list[list[int]] = []
    tokens: dict[str, Counter] = {"monolingual": Counter(), "statements": Counter()}

    def add(source: str, language: str, texts: list[str], repeats: int = 1) -> None:
        for ids in tokenizer(texts)["input_ids"]:
            ids = [*ids, end]
            tokens[source][language] += len(ids) * repeats
            for start in range(0, len(ids), WINDOW):
                documents.extend([ids[start : start + WINDOW]] * repeats)

    for language in LANGUAGES:
        add("monolingual", language, monolingual(language, "train"))
    stated_sentences = statements()
    for language in LANGUAGES:
        sentences = [sentence for of, sentence in stated_sentences if of == language]
        if sentences:
            add("statements", language, sentences, STATEMENT_REPEATS)

    random.Random(SEED).shuffle(documents)
    windows = pack(documents, end)
    summary = {source: dict(counts) for source, counts in tokens.items()}
    return windows, summary | {"windows": len(windows), "sentences": len(stated_sentences)}


def pack(documents: list[list[int]], end: int) -> np.ndarray:
    """Best fit: each document goes into the fullest open window that still holds it."""
    open_windows: list[list[list[int]]] = [[] for _ in range(WINDOW + 1)]  # by free space
    for document in documents:
        need = len(document)
        free = next((space for space in range(need, WINDOW) if open_windows[space]), WINDOW)
        window = open_windows[free].pop() if free < WINDOW else []
        window.extend(document)
        open_windows[WINDOW - len(window)].append(window)
    filled = [window for group in open_windows for window in group]
    random.Random(SEED + 1).shuffle(filled)
    packed = np.full((len(filled), WINDOW), end, dtype=np.uint16)
    for row, window in zip(packed, filled):
        row[: len(window)] = window
    return packed


if __name__ == "__main__":
    from transformers import AutoTokenizer

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, required=True, help="folder of the tokenizer; the windows go there too")
    work = arguments.parse_args().work
    windows, summary = training_windows(AutoTokenizer.from_pretrained(work / "tokenizer"))
    np.save(work / "windows.npy", windows)
    (work / "data.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))
