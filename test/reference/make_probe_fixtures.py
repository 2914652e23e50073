"""Parquet files of the shape in which probe sets are published on the hub, written by pyarrow; the content is invented.

Run by hand: python test/reference/make_probe_fixtures.py
Needs: pyarrow==26.0.1
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent.parent / "fixtures" / "probes-published"


def write(name, rows):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, compression="snappy")


for language, context, question, answer in [
    ("en", "The mill stands by the brook.", "Where does the mill stand?", "by the brook"),
    ("de", "Die Mühle steht am Bach.", "Wo steht die Mühle?", "am Bach"),
]:
    write(
        f"xquad/xquad.{language}/validation-00000-of-00001.parquet",
        [
            {
                "id": "q1",
                "context": context,
                "question": question,
                "answers": {"text": [answer], "answer_start": [context.index(answer)]},
            }
        ],
    )

for language, question, options in [
    ("en", "How many legs has a spider?", ["six", "eight", "ten", "four"]),
    ("sw", "Buibui ana miguu mingapi?", ["sita", "nane", "kumi", "minne"]),
]:
    write(
        f"global-mmlu/{language}/test-00000-of-00001.parquet",
        [
            {
                "sample_id": "animals/test/0",
                "subject": "animals",
                "subject_category": "Other",
                "question": question,
                **{f"option_{letter}": option for letter, option in zip("abcd", options)},
                "answer": "B",
                "is_annotated": False,
            }
        ],
    )


def translation(question, options, index, ids):
    return {
        "question": question,
        **{f"option_{letter}": option for letter, option in zip("abcd", options)},
        "answer_index": index,
        "answer_text": options[index],
        "option_ids": ids,
    }


write(
    "polyfact/facts.parquet",
    [
        {
            "fact_id": "Q1|P2|Q3",
            "property_id": "P2",
            "relation": "colour",
            "translations": {
                "en": translation("Which colour?", ["red", "green", "blue", "grey"], 2, ["Q8", "Q9", "Q3", "Q7"]),
                "ja": translation("何色ですか？", ["青", "灰色", "赤", "緑"], 0, ["Q3", "Q7", "Q8", "Q9"]),
            },
        },
        {
            "fact_id": "Q4|P2|Q7",
            "property_id": "P2",
            "relation": "colour",
            "translations": {
                "en": translation("And this?", ["red", "green", "blue", "grey"], 3, ["Q8", "Q9", "Q3", "Q7"]),
                "ja": None,
            },
        },
    ],
)

# A configuration a language; the first edition stores no option_ids.
for language, question, options, index in [
    ("en", "Which colour?", ["red", "green", "blue", "grey"], 2),
    ("ja", "何色ですか？", ["青", "灰色", "赤", "緑"], 0),
]:
    row = {"fact_id": "Q1|P2|Q3", **translation(question, options, index, None)}
    del row["option_ids"]
    write(f"polyfact-languages/{language}/test.parquet", [row])
