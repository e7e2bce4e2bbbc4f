"""Values that SciPy gives for the statistics of an explanation: python3 make_explain_fixture.py > explain.json"""

import json
import random

import numpy
import scipy
from scipy.special import log_softmax, logit
from scipy.stats import entropy

rng = random.Random(20261125)
rows = []
for size in (2, 3, 10, 200):
    for scale in (0.0, 0.5, 4.0, 30.0):
        row = numpy.array([rng.gauss(0, scale) for _ in range(size)], dtype=numpy.float32)
        logs = log_softmax(row.astype(numpy.float64))
        best = numpy.sort(logs)[::-1]
        rows.append(
            {"row": [float(x) for x in row], "entropy": float(entropy(numpy.exp(logs))), "margin": float(best[0] - best[1])}
        )
counts = [[1], [5, 5], [1, 2, 3, 4], [20, 0, 1], [7, 7, 7, 7]]
print(
    json.dumps(
        {
            "scipy": scipy.__version__,
            "rows": rows,
            "counts": [{"counts": c, "entropy": float(entropy(c))} for c in counts],
            "logOdds": [{"p": p, "value": float(logit(p))} for p in (1e-8, 0.001, 0.2, 0.5, 0.73, 0.999999)],
        }
    )
)
