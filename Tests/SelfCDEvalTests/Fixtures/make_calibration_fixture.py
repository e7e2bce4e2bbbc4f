"""Writes calibration.json, the reference values of LearnThenTestTests, CalibrationPlanTests and ConditionCostTests.

Regenerate with:  python3 make_calibration_fixture.py   (Python 3.11, SciPy 1.17.1)

p-values and bounds are SciPy's; the fixed sequence with shared level and Holm's procedure are written here a second
time, from Angelopoulos et al. (arXiv 2110.01052) and Holm (1979).
"""

import json
import pathlib
import random

import scipy
from scipy import stats


def p_value(lost, trials, bound):
    return float(stats.binom.cdf(lost, trials, bound)) if trials else 1.0


def upper(lost, trials, level):
    if trials == 0 or lost == trials:
        return 1.0
    return float(stats.beta.isf(level, lost + 1, trials - lost))


def fixed_sequence(candidates, p, delta):
    paths = sorted({c["path"] for c in candidates})
    level = delta / max(1, len(paths))
    passes, bounds = [False] * len(p), [1.0] * len(p)
    for path in paths:
        is_open, worst = True, 0.0
        for i, c in enumerate(candidates):
            if c["path"] == path:
                is_open = is_open and p[i] <= level
                worst = max(worst, upper(c["lost"], c["trials"], level))
                passes[i], bounds[i] = is_open, worst
    return passes, bounds


def holm(candidates, p, delta):
    order = sorted(range(len(p)), key=lambda i: (p[i], i))
    passes = [False] * len(p)
    for rank, i in enumerate(order):
        if p[i] > delta / (len(p) - rank):
            break
        passes[i] = True
    return passes, [upper(c["lost"], c["trials"], delta / len(p)) for c in candidates]


def case(rng):
    bound, confidence = rng.choice([0.01, 0.02, 0.05]), rng.choice([0.9, 0.95, 0.99])
    trials = rng.choice([0, 50, 299, 473, 1000, 2000])
    candidates, path_count = [], rng.randint(1, 3)
    for path in range(path_count):
        lost = 0
        for _ in range(rng.randint(1, 6)):
            lost = min(trials, max(0, lost + rng.randint(-1, 6)))
            candidates.append({"path": f"p{path}", "lost": lost, "trials": trials})
    p = [p_value(c["lost"], c["trials"], bound) for c in candidates]
    out = {"bound": bound, "confidence": confidence, "candidates": candidates, "p": p}
    for name, procedure in [("fixed-sequence", fixed_sequence), ("holm", holm)]:
        # Decisions that hang on the last bits of a level are no test of anything.
        out[name] = dict(zip(["passes", "bounds"], procedure(candidates, p, 1 - confidence)))
    return out


def needed_refusals(lost, bound, level):
    return next(n for n in range(lost + 1, 100000) if stats.binom.cdf(lost, n, bound) <= level)


def pass_probability(harmful, bound, level, true_loss):
    """How likely a candidate passes: the critical count is the largest whose tail at the bound is within the level."""
    passing = [k for k in range(harmful + 1) if stats.binom.cdf(k, harmful, bound) <= level]
    return float(stats.binom.cdf(passing[-1], harmful, true_loss)) if passing else 0.0


def plan(harmful, bound, confidence, paths):
    """What a part of `harmful` prompts can show where `paths` share the level: with 0, 1 and 2 losses."""
    level = (1 - confidence) / paths
    return {
        "chances": [pass_probability(harmful, bound, level, bound * share) for share in (0, 0.1, 0.5, 1)],
        "harmful": harmful, "bound": bound, "confidence": confidence, "paths": paths,
        "bounds": [upper(k, harmful, level) if k < harmful else 1.0 for k in range(3)],
        "needed": [needed_refusals(k, bound, level) for k in range(3)]}


def rank(count):
    """The order statistics k and count + 1 - k enclose the median at 95 %; the largest such k, 0 for none."""
    return max([k for k in range(1, count // 2 + 1) if 2 * stats.binom.cdf(k - 1, count, 0.5) <= 0.05], default=0)


if __name__ == "__main__":
    generator = random.Random(20261125)
    needed = [{"lost": k, "bound": b, "confidence": c, "trials": next(
        n for n in range(k + 1, 100000) if stats.binom.cdf(k, n, b) <= 1 - c)}
        for k in (0, 1, 2, 5) for b in (0.01, 0.05) for c in (0.9, 0.95, 0.99)]
    cases = [case(generator) for _ in range(60)]
    plans = [plan(n, b, c, paths) for n in (0, 1, 2, 10, 100, 299, 473, 2000) for b in (0.01, 0.05)
             for c in (0.9, 0.95) for paths in (1, 2, 11)]
    ranks = [{"count": n, "rank": rank(n)} for n in (1, 5, 6, 8, 9, 12, 20, 50, 101)]
    text = json.dumps({"scipy": scipy.__version__, "cases": cases, "needed": needed, "plans": plans, "ranks": ranks})
    pathlib.Path(__file__).with_name("calibration.json").write_text(text + "\n")
