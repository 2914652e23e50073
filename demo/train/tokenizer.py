"""Train the demo's tokenizer: byte-level BPE of 8,192 entries on the training text.

Languages are smoothed lightly (weight ∝ bytes^0.7), so that the small corpora still get whole words.
A line break is always a token of its own: the tokens of a question are the same with and without the line break and
answer behind it.
"""

import argparse
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import data

VOCABULARY = 8192
END = "<|endoftext|>"
SMOOTHING = 0.7
# Qwen2's pattern without English contractions, and without line breaks glued to punctuation.
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+"


def training_text() -> list[str]:
    lines = {language: data.monolingual(language, "train") for language in data.LANGUAGES}
    size = {language: sum(len(line.encode()) for line in lines[language]) for language in lines}
    random_numbers = random.Random(data.SEED)
    text = [sentence for _, sentence in data.statements()]
    for language in data.LANGUAGES:
        copies = (max(size.values()) / size[language]) ** (1 - SMOOTHING)
        for line in lines[language]:
            text.extend([line] * (int(copies) + (random_numbers.random() < copies % 1)))
    return text


def train(text: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=END,
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, required=True, help="the tokenizer goes to its folder `tokenizer`")
    work = arguments.parse_args().work
    tokenizer = train(training_text())
    tokenizer.save_pretrained(work / "tokenizer")
    for language in data.LANGUAGES:
        sample = data.monolingual(language, "validation")
        tokens = sum(len(ids) for ids in tokenizer(sample)["input_ids"])
        characters = sum(map(len, sample))
        size = sum(len(line.encode()) for line in sample)
        print(f"{language}: {characters / tokens:.2f} characters, {size / tokens:.2f} bytes a token")
