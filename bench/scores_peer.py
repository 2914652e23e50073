"""Average precision of a layer's neurons for every language with scikit-learn, timed. Called by scores.ts."""

import json
import sys
import time

import numpy as np
from safetensors.numpy import load_file
from sklearn.metrics import average_precision_score

values = load_file(sys.argv[1])["mlp.items"]
items, languages, units = values.shape
columns = np.ascontiguousarray(values.reshape(items * languages, units).T.astype(np.float32))
language = np.tile(np.arange(languages), items)
labels = [language == k for k in range(languages)]
start, cpu_start = time.perf_counter(), time.process_time()
np.array([[average_precision_score(label, column) for label in labels] for column in columns])
print(json.dumps({"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu_start}))
