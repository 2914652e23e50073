"""Gini coefficients of rates [language, unit], from the definition, with NumPy: writes ../fixtures/scores-gini.json."""
import json, pathlib
import numpy as np

rates = np.random.default_rng(12).random((4, 6)).round(3)
rates[1:, 2] = 0  # one language alone
rates[:, 4] = 0.25  # all languages alike
differences = np.abs(rates[:, None] - rates[None]).sum((0, 1))
gini = differences / (2 * len(rates) ** 2 * rates.mean(0))
path = pathlib.Path(__file__).parent / "../fixtures/scores-gini.json"
path.write_text(json.dumps({"languages": len(rates), "rates": rates.ravel().tolist(), "gini": gini.tolist()}) + "\n")
