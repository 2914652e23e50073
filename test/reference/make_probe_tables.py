"""Writes test/fixtures/probes-tables: small parallel tables as pyarrow saves them, in each codec, and as Arrow files.

pip install pyarrow==26.0.1; python test/reference/make_probe_tables.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent.parent / "fixtures" / "probes-tables"
OUT.mkdir(exist_ok=True)

ROWS = {
    "id": pa.array([1, 2, 3]),
    "en": pa.array(["A goat ate the map.", None, "Rain came late today."]),
    "de": pa.array(["Eine Ziege fraß die Karte.", "Der Regen kam.", None]),
}
for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
    pq.write_table(pa.table(ROWS), OUT / f"wide-{codec}.parquet", compression=codec)

pairs = pa.table({"translation": pa.array([{"en": "A goat", "de": "Eine Ziege"}, {"en": "Rain", "de": None}])})
pq.write_table(pairs, OUT / "translation.parquet")
with pa.OSFile(str(OUT / "stream.arrow"), "wb") as sink, pa.ipc.new_stream(sink, pairs.schema) as writer:
    writer.write_table(pairs)
long = pa.table({"id": pa.array([2**60, 2**60 + 1]), "lang": ["deu_Latn", "eng_Latn"], "text": ["Regen", "Rain"]})
with pa.OSFile(str(OUT / "file.arrow"), "wb") as sink, pa.ipc.new_file(sink, long.schema) as writer:
    writer.write_table(long)
pq.write_table(long, OUT / "long.parquet")

# A bomb: 64 MiB of blanks in a few kB.
bomb = pa.table({"id": pa.array([1]), "en": [" " * 2**26], "de": ["x"]})
pq.write_table(bomb, OUT / "bomb-zstd.parquet", compression="zstd", use_dictionary=False)
