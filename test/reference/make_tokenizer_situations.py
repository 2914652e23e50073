"""What AutoTokenizer of transformers 4.57.3 and 5.24.0 makes of the files around a tokenizer.json: ids of texts in 17 scripts.

Run by hand, once with each version; each run writes its own answers into test/fixtures/tokenizer/situations.json:
    python test/reference/make_tokenizer_situations.py
Needs: transformers==4.57.3 tokenizers==0.22.2, then transformers==5.24.0 tokenizers==0.23.3
Reads the tokenizers that make_tokenizer_fixtures.py made, and the published ones.
"""

import gzip
import hashlib
import json
import logging
import os
import tempfile
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import transformers

assert transformers.__version__ in ("4.57.3", "5.24.0"), transformers.__version__
transformers.logging.set_verbosity(logging.CRITICAL)

OUT = Path(__file__).parent.parent / "fixtures" / "tokenizer"
FILE = OUT / "situations.json"
SHOWN = 6

# Written for this test; no licence applies.
TEXTS = [
    "The river's water is cold; it's 42 km to the sea.",  # Latin
    "Вода в реке сегодня холодная.",  # Cyrillic
    "Το νερό του ποταμού είναι κρύο.",  # Greek
    "ماء النهر بارد اليوم",  # Arabic
    "מי הנהר קרים היום",  # Hebrew
    "नदी का पानी आज ठंडा है।",  # Devanagari
    "নদীর জল আজ ঠান্ডা।",  # Bengali
    "ஆற்று நீர் இன்று குளிர்",  # Tamil
    "నది నీరు చల్లగా ఉంది",  # Telugu
    "น้ำในแม่น้ำวันนี้เย็น",  # Thai
    "მდინარის წყალი ცივია",  # Georgian
    "Գետի ջուրը սառն է",  # Armenian
    "የወንዙ ውሃ ቀዝቃዛ ነው",  # Ethiopic
    "今天河水很冷。",  # Han
    "今日の川の水はつめたいです。",  # Kana
    "오늘 강물이 차갑습니다.",  # Hangul
    "ទឹកទន្លេត្រជាក់",  # Khmer
    "",
    " a  leading space and CAFÉ e\u0301 ",
    "before<s>after</s> <s> x<|end|>y <|endoftext|> <pad>z <mask> q <new>r  <new> s",
    "▁<s>▁<unk>[MASK] [UNK]",
]

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
PREFIXED = {**BYTE_LEVEL, "add_prefix_space": True}
IN_SEQUENCE = {
    "type": "Sequence",
    "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
}
LLAMA = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
END = {"bos_token": "<|end|>", "eos_token": "<|end|>", "unk_token": "<|end|>"}
NEW = {"content": "<new>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
BOS_FRAME = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [0], "tokens": ["<|end|>"]}},
}

SAVED_BY_5 = json.loads((OUT / "saved-by-5.json").read_text())

SITUATIONS = []


def situation(tokenizer, config=None, model_config=None, special=None, added=None, **edits):
    """`edits` replace parts of tokenizer.json, switches of its model one by one; the other arguments are the files beside it."""
    SITUATIONS.append(
        {
            "tokenizer": tokenizer,
            "edits": edits,
            "config": config,
            "model": model_config or {"model_type": "llama"},
            "specialTokensMap": special,
            "addedTokens": added,
        }
    )


# The class that is named, with each setting.
SENTENCEPIECE = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "PreTrainedTokenizerFast"]
BYTES = ["GPT2Tokenizer", "Qwen2Tokenizer", "CohereTokenizer", "GPTNeoXTokenizer", "BloomTokenizer", "CodeGenTokenizer", "PreTrainedTokenizerFast", "LlamaTokenizer"]
for name in SENTENCEPIECE:
    base = {"tokenizer_class": name, **LLAMA}
    situation("llama2", base)
    situation("llama2", {**base, "add_bos_token": False, "add_eos_token": True})
    situation("llama2", {**base, "legacy": False})
    situation("llama2", {**base, "pad_token": "<pad>"})
    situation("llama2", {"tokenizer_class": name})
for name in BYTES:
    base = {"tokenizer_class": name, **END}
    situation("byte-level", base)
    situation("byte-level", {**base, "add_prefix_space": True})
    situation("byte-level", {**base, "add_prefix_space": False}, pre_tokenizer=PREFIXED)
    situation("byte-level", base, pre_tokenizer=PREFIXED)
    situation("byte-level", {**base, "add_prefix_space": True}, pre_tokenizer=IN_SEQUENCE)
    situation("byte-level", {**base, "add_prefix_space": None}, pre_tokenizer=PREFIXED)
    situation("byte-level", {**base, "add_bos_token": True}, post_processor=BOS_FRAME)
    situation("byte-level", {**base, "add_bos_token": False}, post_processor=BOS_FRAME)
    situation("byte-level", {**base, "pad_token": "<pad>", "additional_special_tokens": ["<new>"]})
    situation("byte-level", {"tokenizer_class": name})

# The class that config.json's model type implies.
for kind in ["llama", "mistral", "mixtral", "gemma2", "gemma3_text", "phi3", "deepseek_v3", "smollm3"]:
    situation("llama2", LLAMA, {"model_type": kind})
for kind in ["gpt2", "gpt_neox", "olmo", "olmo2", "olmo3", "olmoe", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "cohere", "cohere2", "bloom", "falcon", "granite", "gpt_oss", "llama", "phi"]:
    situation("byte-level", END, {"model_type": kind})
situation("llama2", LLAMA, {"model_type": "gemma", "tokenizer_class": "LlamaTokenizer"})
situation("llama2", {**LLAMA, "tokenizer_class": "LlamaTokenizerFast"}, {"model_type": "mistral"})
situation("llama2", {**LLAMA, "tokenizer_class": "LlamaTokenizerFast"}, {"model_type": "phi3"})
situation("llama2", {**LLAMA, "tokenizer_class": "LlamaTokenizerFast"}, {"model_type": "llama"})
situation("byte-level", {**END, "tokenizer_class": "LlamaTokenizer"}, {"model_type": "qwen2"})
situation("byte-level", {**END, "tokenizer_class": "GPT2Tokenizer"}, {"model_type": "granite"})
situation("byte-level", {**END, "tokenizer_class": "GPT2TokenizerFast"}, {"model_type": "olmo2"})
situation("byte-level", {**END, "tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "llama"})
situation("byte-level", {**END, "tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "gpt2"})
situation("byte-level", {**END, "tokenizer_class": "TokenizersBackend", "backend": "tokenizers"}, {"model_type": "llama"})
situation("byte-level", None, {"model_type": "llama"})
situation("byte-level", None, {"model_type": "gpt2"}, special=END)

# Added tokens and special tokens, in each of the files that may name them.
for name, tokenizer, named in [("PreTrainedTokenizerFast", "llama2", LLAMA), ("LlamaTokenizer", "llama2", LLAMA), ("GPT2Tokenizer", "byte-level", END), ("Qwen2Tokenizer", "byte-level", END)]:
    base = {"tokenizer_class": name, **named}
    situation(tokenizer, {**base, "added_tokens_decoder": {"400": NEW}})
    situation(tokenizer, {**base, "added_tokens_decoder": {"400": {**NEW, "lstrip": True, "rstrip": True, "special": False}}})
    situation(tokenizer, {**base, "additional_special_tokens": ["<new>", "<mask>"]})
    situation(tokenizer, {**base, "extra_special_tokens": {"image_token": "<new>"}})
    situation(tokenizer, {**base, "mask_token": {**NEW, "content": "<mask>", "lstrip": True, "__type": "AddedToken"}})
    situation(tokenizer, base, special={"pad_token": "<pad>", "additional_special_tokens": ["<new>"]})
    situation(tokenizer, base, special={"mask_token": {**NEW, "content": "<mask>", "lstrip": True}})
    situation(tokenizer, base, added={"<new>": 400})
    situation(tokenizer, base, added={"<new>": 400, "<pad>": 401}, special={"pad_token": "<pad>"})
    situation(tokenizer, {**base, "added_tokens_decoder": {"0": {**NEW, "content": "<|end|>", "rstrip": True}}})
    situation(tokenizer, base, padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"})
    situation(tokenizer, base, truncation={"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0})

# Encoders and others.
for config in [{}, {"do_lower_case": False}, {"strip_accents": True}, {"tokenize_chinese_chars": False}]:
    situation("wordpiece", {"tokenizer_class": "BertTokenizer", **config})
situation("unigram", {"tokenizer_class": "XLMRobertaTokenizer"})
situation("unigram", {"tokenizer_class": "XGLMTokenizer"})
situation("unigram", {"tokenizer_class": "T5Tokenizer"})
situation("unigram", {"tokenizer_class": "LlamaTokenizer", **LLAMA})
situation("byte-level", {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True})
situation("llama2", {"tokenizer_class": "LlamaTokenizer", **LLAMA, "add_prefix_space": None})
situation("llama2", {"tokenizer_class": "LlamaTokenizer", **LLAMA, "add_prefix_space": True})
situation("llama2", {"tokenizer_class": "LlamaTokenizer", **LLAMA, "bos_token": None})
situation("llama2", {"tokenizer_class": "LlamaTokenizer", **LLAMA, "bos_token": None, "add_bos_token": False})

situation("byte-level", {"tokenizer_class": "Qwen3_5Tokenizer", **END}, {"model_type": "qwen3_5_text"})
situation("byte-level", {"tokenizer_class": "Qwen3_5Tokenizer", **END, "backend": "tokenizers", "add_prefix_space": True})

# Published tokenizers.
for config in [{"tokenizer_class": "LlamaTokenizer", **LLAMA}, {"tokenizer_class": "LlamaTokenizer", **LLAMA, "legacy": False, "add_bos_token": False}, {"tokenizer_class": "PreTrainedTokenizerFast"}]:
    situation("published/phi-3-mini", config, {"model_type": "phi3"})
for kind in ["olmo2", "qwen2", "gpt2"]:
    situation("published/olmo2-dolma2", {}, {"model_type": kind})

# Phi-3's tokenizer, saved by version 5 as a Llama tokenizer.
situation("published/phi-3-mini", SAVED_BY_5["config"], **SAVED_BY_5["edits"])
situation("published/phi-3-mini", {**SAVED_BY_5["config"], "tokenizer_class": "TokenizersBackend"}, **SAVED_BY_5["edits"])


def read_tokenizer(name):
    if name.startswith("published/"):
        return json.loads(gzip.decompress((OUT / f"{name}.tokenizer.json.gz").read_bytes()))
    return json.loads((OUT / f"{name}.tokenizer.json").read_text())


def edited(tokenizer, edits):
    return {**tokenizer, **edits, "model": {**tokenizer["model"], **edits.get("model", {})}}


def answer(row):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        files = {
            "tokenizer.json": edited(read_tokenizer(row["tokenizer"]), row["edits"]),
            "tokenizer_config.json": row["config"],
            "config.json": row["model"],
            "special_tokens_map.json": row["specialTokensMap"],
            "added_tokens.json": row["addedTokens"],
        }
        for name, content in files.items():
            if content is not None:
                (folder / name).write_text(json.dumps(content))
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            if not tokenizer.is_fast:
                return {"error": f"{type(tokenizer).__name__} is slow"}
            ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}".replace(str(folder), "…").split("\n")[0][:90]}
    digest = hashlib.sha256("\n".join(" ".join(map(str, one)) for one in ids).encode()).hexdigest()[:16]
    return {"class": type(tokenizer).__name__, "sha256": digest, "first": ids[0][:SHOWN], "spelt": ids[19][:SHOWN]}


own = [answer(row) for row in SITUATIONS]
before = json.loads(FILE.read_text()) if FILE.exists() else {"situations": []}
key = lambda row: json.dumps({name: row[name] for name in ("tokenizer", "edits", "config", "model", "specialTokensMap", "addedTokens")}, sort_keys=True)
known = {key(row): row.get("answers", {}) for row in before["situations"]}
for row, found in zip(SITUATIONS, own):
    row["answers"] = {**known.get(key(row), {}), transformers.__version__: found}
lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in SITUATIONS)
FILE.write_text('{"texts":%s,\n"situations":[\n%s\n]}\n' % (json.dumps(TEXTS, ensure_ascii=False), lines))
print(len(SITUATIONS), "situations")
