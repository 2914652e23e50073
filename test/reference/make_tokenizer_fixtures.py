"""Tiny tokenizers of three kinds, and the ids the reference implementation gives with them and with real ones.

Run by hand: python test/reference/make_tokenizer_fixtures.py [folder of real tokenizer.json files]
Needs: tokenizers==0.22.2 transformers==4.57.3
Unigram training differs from run to run, so the files belong together and are only made anew together.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import tokenizers
import transformers

assert transformers.__version__ == "4.57.3", transformers.__version__
assert tokenizers.__version__ == "0.22.2", tokenizers.__version__

OUT = Path(__file__).parent.parent / "fixtures" / "tokenizer"

# Written for this test; no licence applies.
TEXTS = {
    "en": "The river's water is cold today, isn't it? It's 42 km to the sea.",
    "de": "Das Wasser des Flusses ist heute kalt; bis zum Meer sind es größere Übungen.",
    "fr": "L'eau de la rivière est froide aujourd'hui – n'est-ce pas ?",
    "pt": "A água do rio está fria hoje; são 42 quilômetros até o mar.",
    "uk": "Вода в річці сьогодні холодна, чи не так? До моря 42 км.",
    "ar": "ماء النهر بارد اليوم، أليس كذلك؟",
    "hi": "नदी का पानी आज ठंडा है, है ना? समुद्र ४२ किमी दूर है।",
    "th": "น้ำในแม่น้ำวันนี้เย็นใช่ไหม",
    "zh": "今天河水很冷，不是吗？到海边有42公里。",
    "ja": "今日の川の水は冷たいですね。海まで42キロです。",
    "ko": "오늘 강물이 차갑지요? 바다까지 42킬로미터입니다.",
    "emoji": "👩‍👩‍👧 cafe\u0301\tdef f(x):\n    return  x²",
    "spaces": "  two  spaces  ",
    "empty": "",
    "special": "before<|end|>after",
}

# The pre-tokenization pattern of Qwen2.
QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level():
    """As Qwen2: NFC, byte-level BPE, no special token added."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|end|>", "<|pad|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS.values(), trainer)
    return tokenizer


def llama2():
    """As Llama 2: spaces as ▁, bytes for what the vocabulary lacks, <s> before the text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False,
        limit_alphabet=90,
    )
    tokenizer.train_from_iterator([TEXTS[lang] for lang in ("en", "de", "fr", "pt", "uk")], trainer)
    # Training marks the byte pieces as special; in real Llama files they are plain vocabulary.
    fields = json.loads(tokenizer.to_str())
    fields["added_tokens"] = [t for t in fields["added_tokens"] if t["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(fields))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def unigram():
    """NFKC and lower case: texts do not come back as they were."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS.values(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def expected(tokenizer):
    rows = {}
    for name, text in TEXTS.items():
        auto = tokenizer.encode(text)
        off = tokenizer.encode(text, add_special_tokens=False)
        rows[name] = {
            "text": text,
            "auto": auto.ids,
            "off": off.ids,
            "special": auto.special_tokens_mask,
            "decoded": tokenizer.decode(off.ids, skip_special_tokens=False),
        }
    return {"tokenizers": tokenizers.__version__, "vocabSize": tokenizer.get_vocab_size(), "texts": rows}


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8")


OUT.mkdir(parents=True, exist_ok=True)
for make in (byte_level, llama2, unigram):
    name = make.__name__.replace("_", "-")
    tokenizer = make()
    tokenizer.save(str(OUT / f"{name}.tokenizer.json"), pretty=False)
    write(OUT / f"{name}.expected.json", expected(tokenizer))

# Which special tokens transformers adds depends on the tokenizer's class and its tokenizer_config.json.
LLAMA = {"bos_token": "<s>", "eos_token": "</s>"}
END = {"bos_token": "<|end|>", "eos_token": "<|end|>", "unk_token": "<|end|>"}
CLASSES = [
    ("llama2", {"tokenizer_class": "LlamaTokenizer", **LLAMA}),
    ("llama2", {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": False, **LLAMA}),
    ("llama2", {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": None, **LLAMA}),
    ("llama2", {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": False, "add_eos_token": True, **LLAMA}),
    ("llama2", {"tokenizer_class": "CodeLlamaTokenizerFast", "add_bos_token": False, **LLAMA}),
    ("llama2", {"tokenizer_class": "GemmaTokenizerFast", "add_bos_token": False, **LLAMA}),
    ("llama2", {"tokenizer_class": "CohereTokenizerFast", "add_bos_token": False, **LLAMA}),
    ("llama2", {"tokenizer_class": "GPTNeoXTokenizerFast", **LLAMA}),
    ("llama2", {"tokenizer_class": "GPTNeoXTokenizerFast", "add_bos_token": True, **LLAMA}),
    ("llama2", {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, **LLAMA}),
    ("unigram", {"tokenizer_class": "LlamaTokenizerFast", **LLAMA}),
    ("byte-level", {"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": True, **END}),
    ("byte-level", {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, **END}),
    ("byte-level", {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": True, **END}),
]
rows = []
for name, config in CLASSES:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(OUT / f"{name}.tokenizer.json", Path(folder) / "tokenizer.json")
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        ids = transformers.AutoTokenizer.from_pretrained(folder)("The water is")["input_ids"]
    rows.append({"tokenizer": name, "config": config, "ids": ids})
write(OUT / "classes.expected.json", rows)

if len(sys.argv) > 1:
    for name in ("olmo2-dolma2", "phi-3-mini"):
        path = Path(sys.argv[1]) / f"{name}.tokenizer.json"
        write(OUT / f"real-{name}.expected.json", expected(Tokenizer.from_file(str(path))))
