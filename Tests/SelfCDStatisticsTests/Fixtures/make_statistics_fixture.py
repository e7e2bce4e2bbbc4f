"""Writes statistics.json, the reference values of StatisticsFixtureTests.

Regenerate with:  python3 make_statistics_fixture.py   (Python 3.11, SciPy 1.17.1, NumPy 2.4)

SciPy gives what SciPy has; the sign-flip test is its permutation test of samples where that can try all signs, and counted
in whole numbers elsewhere. Holm, kappa, Tango's interval and the bootstraps are written here a second time, from their
papers and in another language, with an independent xoshiro256** to draw the resamples. Tango's nuisance parameter is
found by maximising the likelihood, not by the closed form of the paper. What audits need is written a second time too:
Wilson's interval by inverting its test, the most successes of a finite population by trying all of them from above.
"""

import json
import math
import pathlib

import numpy
import scipy
from scipy import optimize, special, stats

MASK = (1 << 64) - 1


def splitmix(seed):
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def xoshiro(seed):
    filler = splitmix(seed)
    s = [next(filler) for _ in range(4)]
    rotl = lambda v, k: ((v << k) | (v >> (64 - k))) & MASK
    while True:
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        yield result


def below(generator, bound):
    while True:
        product = next(generator) * bound
        if (product & MASK) >= ((1 << 64) - bound) % bound:
            return product >> 64


def first(generator, count):
    return [str(next(generator)) for _ in range(count)]  # JSON numbers lose 64-bit integers in some readers


COUNTS = [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 299), (0, 299), (87, 250), (250, 250), (199, 200),
          (500, 1000), (3, 20000), (12345, 100000), (999999, 1000000)]
LEVELS = [0.8, 0.95, 0.999]


def interval(k, n, level, method):
    ci = stats.binomtest(k, n).proportion_ci(level, method=method)
    return {"k": k, "n": n, "level": level, "low": float(ci.low), "high": float(ci.high)}


def exact(k, n, level):
    # binomtest(...).proportion_ci("exact") stops at an absolute 2e-12, too coarse for rates near zero.
    tail = (1 - level) / 2
    return {"k": k, "n": n, "level": level,
            "low": float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0,
            "high": float(stats.beta.isf(tail, k + 1, n - k)) if k < n else 1.0}


def holm(p):
    order = sorted(range(len(p)), key=lambda i: (p[i], i))
    out, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        out[i] = largest
    return out


def kappa(table):
    t = numpy.array(table, dtype=float)
    n = t.sum()
    po = numpy.trace(t) / n
    pe = float((t.sum(0) * t.sum(1)).sum() / n**2)
    return float((po - pe) / (1 - pe))


def bootstrap(a, b, resamples, level, seed):
    d = numpy.array(a, dtype=float) - numpy.array(b, dtype=float)
    g, n = xoshiro(seed), len(d)
    means = [sum(d[below(g, n)] for _ in range(n)) / n for _ in range(resamples)]
    tail = (1 - level) / 2
    low, high = numpy.quantile(means, [tail, 1 - tail])
    return {"first": a, "second": b, "resamples": resamples, "level": level, "seed": seed,
            "estimate": float(d.mean()), "low": float(low), "high": float(high)}


def tango(b, c, n, level):
    z = stats.norm.isf((1 - level) / 2)

    def nuisance(d):
        """The likeliest probability q of "second only", that of "first only" being q + d; the log-likelihood is concave.
        Looked for in units of the interval that q can lie in, so that both ends are resolved."""
        start, width = max(0.0, -d), (1 - abs(d)) / 2

        def slope(t):
            first = width * t + max(0.0, d)
            second = width * t + max(0.0, -d)
            return b / first + c / second - (n - b - c) / (width * (1 - t))

        inside = [1e-14, 1 - 1e-14]
        if slope(inside[0]) <= 0:
            return start
        if slope(inside[1]) >= 0:
            return start + width
        return start + width * optimize.brentq(slope, *inside, xtol=1e-16, rtol=1e-15)

    def score(d):
        if abs(b - c - n * d) < 1e-12:
            return 0.0
        variance = n * (2 * nuisance(d) + d * (1 - d))
        return (b - c - n * d) / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, b - c - n * d)

    at = (b - c) / n
    edge = 1 - 1e-13
    high = 1.0 if at == 1 else optimize.brentq(lambda d: score(d) + z, at, edge, xtol=1e-14)
    low = -1.0 if at == -1 else optimize.brentq(lambda d: score(d) - z, -edge, at, xtol=1e-14)
    return {"b": b, "c": c, "n": n, "level": level, "low": low, "high": high}


def wilson(p, n, level):
    """The rates that the score test does not reject; its edges are found numerically."""
    z = stats.norm.isf((1 - level) / 2)

    def score(rate):
        return (p - rate) ** 2 - z**2 * rate * (1 - rate) / n

    # At 0 and 1 the score is 0 for the estimate itself, which is not the edge that is looked for.
    low = 0.0 if p == 0 else optimize.brentq(score, 0, min(p, 1 - 1e-12), xtol=1e-16, rtol=1e-15)
    high = 1.0 if p == 1 else optimize.brentq(score, max(p, 1e-12), 1, xtol=1e-16, rtol=1e-15)
    return low, high


def most(successes, sample, population, level):
    for count in range(population - (sample - successes), successes, -1):
        if stats.hypergeom.cdf(successes, population, count, sample) > 1 - level:
            return count
    return successes


def combined(estimate, parts, bounds):
    """MOVER: each part is a weight, an estimate and its two limits."""
    below = math.sqrt(sum((w * (e - low)) ** 2 for w, e, low, _ in parts))
    above = math.sqrt(sum((w * (high - e)) ** 2 for w, e, _, high in parts))
    return {"estimate": estimate, "low": max(bounds[0], estimate - below), "high": min(bounds[1], estimate + above)}


def worth(read, items):
    return read * (items - 1) / (items - read)


def double_rate(strata, level):
    """strata: items, read, successes, assumed"""
    total = sum(s[0] for s in strata)
    parts = []
    for items, read, successes, assumed in strata:
        if read == 0:
            rate, limits = assumed, (0.0, 1.0)
        else:
            rate = successes / read
            limits = (rate, rate) if read == items else wilson(rate, worth(read, items), level)
        parts.append((items / total, rate, *limits))
    rate = sum(w * e for w, e, _, _ in parts)
    parts.append((1, rate, *wilson(rate, total, level)))
    return {"strata": strata, "level": level, **combined(rate, parts, (0, 1))}


def double_difference(strata, identical, level):
    """strata: items, read, first only, second only"""
    total = identical + sum(s[0] for s in strata)
    parts, first, second = [], 0.0, 0.0
    for items, read, b, c in strata:
        if read == 0:
            parts.append((items / total, 0.0, -1.0, 1.0))
            continue
        first, second, rate = first + items * b / read, second + items * c / read, (b - c) / read
        if read == items:
            parts.append((items / total, rate, rate, rate))
        else:
            n = worth(read, items)
            own = tango(n * b / read, n * c / read, n, level)
            parts.append((items / total, rate, own["low"], own["high"]))
    whole = tango(first, second, total, level)
    rate = (first - second) / total
    parts.append((1, rate, whole["low"], whole["high"]))
    return {"strata": strata, "identical": identical, "level": level, **combined(rate, parts, (-1, 1))}


def audited(changed, unchanged, identical, all_read, level):
    """groups: items, read, trials, lost"""
    delta = 1 - level
    lost = changed[3] + most(unchanged[3], unchanged[1], unchanged[0], 1 - 0.5 * delta)
    trials = changed[2]
    for items, read, tried, _ in (unchanged, identical):
        trials += items - most(read - tried, read, items, 1 - 0.05 * delta)
    tail = delta if all_read else 0.4 * delta
    bound = 1.0 if lost >= trials else float(stats.beta.isf(tail, lost + 1, trials - lost))
    return {"groups": [changed, unchanged, identical], "readsAll": all_read, "level": level, "mostLosses": lost,
            "fewestTrials": trials, "bound": bound}


def sign_flip(differences):
    """The share of all choices of signs with a sum at least as far from 0, in whole numbers."""
    sums = {0: 1}
    for d in differences:
        flipped = {}
        for total, ways in sums.items():
            for sign in (d, -d):
                flipped[total + sign] = flipped.get(total + sign, 0) + ways
        sums = flipped
    distance = abs(sum(differences))
    p = sum(ways for total, ways in sums.items() if abs(total) >= distance) / 2 ** len(differences)
    if 1 < len(differences) <= 14:
        result = stats.permutation_test((numpy.array(differences),), numpy.sum, permutation_type="samples",
                                        n_resamples=numpy.inf)
        assert abs(result.pvalue - p) < 1e-12, (differences, result.pvalue, p)
    return {"differences": differences, "p": p}


def grouped(first_outcomes, second_outcomes, groups, resamples, level, seed):
    """Whole groups drawn in the order of their names, with ends expanded for few groups; never narrower than the score
    interval, with Student's t for z, of as many independent prompts as the sample is worth by its design effect."""
    names = sorted(set(groups))
    second = second_outcomes or [0] * len(first_outcomes)
    units = [[(a, b) for a, b, g in zip(first_outcomes, second, groups) if g == name] for name in names]
    sums, sizes = [sum(a - b for a, b in unit) for unit in units], [len(unit) for unit in units]
    g, means = xoshiro(seed), []
    for _ in range(resamples):
        drawn = [below(g, len(units)) for _ in units]
        means.append(sum(sums[i] for i in drawn) / sum(sizes[i] for i in drawn))
    tail, n = (1 - level) / 2, len(groups)
    low, high = (float(q) for q in numpy.quantile(means, [tail, 1 - tail]))
    estimate, count = sum(sums) / n, len(units)
    reach = float(stats.t.isf(tail, count - 1) / stats.norm.isf(tail))
    factor = reach * math.sqrt(count / (count - 1))
    least_possible = 0 if second_outcomes is None else -1
    low = max(least_possible, estimate - factor * max(0, estimate - low))
    high = min(1, estimate + factor * max(0, high - estimate))
    # Rao and Scott's ratio of variances, with one outcome more for which it is as large as it can be.
    values = numpy.array([a - b for a, b in zip(first_outcomes, second)], dtype=float)
    residuals = numpy.array(sums) - numpy.array(sizes) * estimate
    between = numpy.var(residuals, ddof=1) * count + count / (count - 1) * count * residuals.mean() ** 2
    effect = min(max((between + n / count) / (numpy.var(values) * n + 1), 1), n / count)
    # Korn and Graubard's degrees of freedom: the score interval with t in place of z.
    worth = float(n / effect) / reach ** 2
    if second_outcomes is None:
        least, most_ = wilson(sum(first_outcomes) / n, worth, level)
    else:
        b = sum(a and not c for a, c in zip(first_outcomes, second)) * worth / n
        c = sum(c and not a for a, c in zip(first_outcomes, second)) * worth / n
        whole = tango(b, c, worth, level)
        least, most_ = whole["low"], whole["high"]
    return {"first": first_outcomes, "second": second_outcomes, "groups": groups, "resamples": resamples, "level": level,
            "seed": seed, "estimate": sum(sums) / n, "low": min(low, least), "high": max(high, most_)}


rng = numpy.random.default_rng(7)
pairs = (rng.random((60, 2)) < [0.6, 0.3]).astype(int)
reals = rng.normal(size=(25, 2)).round(6)
# Outcomes of a group are mostly the same; sizes differ, and names are not in the order of the prompts.
kinds = numpy.repeat(rng.permutation(12), rng.integers(1, 9, 12))
shared = (rng.random((12, 2)) < [0.5, 0.3])[kinds]
clustered = numpy.where(rng.random(shared.shape) < 0.8, shared, ~shared).astype(int)
named = [f"kind {k}" for k in kinds]

out = {
    "scipy": scipy.__version__,
    "quantile": [{"p": p, "x": float(special.ndtri(p))}
                 for p in [1e-300, 1e-20, 1e-9, 1e-4, 0.01, 0.02425, 0.025, 0.3, 0.5, 0.5000001, 0.9, 0.975,
                           0.99999]],
    "cumulative": [{"x": x, "p": float(special.ndtr(x))} for x in [-37.0, -8.0, -1.96, -0.1, 0.0, 0.7, 3.0, 8.5]],
    "beta": [{"a": a, "b": b, "x": x, "value": float(special.betainc(a, b, x))}
             for a in [0.5, 1, 3, 40.5, 1000, 50000] for b in [0.7, 1, 7, 300, 20000]
             for x in [1e-6, 0.05, 0.3, 0.5, 0.714, 0.99]],
    "betaInverse": [{"a": a, "b": b, "p": p, "x": float(special.betaincinv(a, b, p))}
                    for a in [0.5, 1, 3, 250] for b in [1, 7, 300] for p in [1e-6, 0.025, 0.5, 0.95]],
    "mass": [{"k": k, "n": n, "p": p, "value": float(stats.binom.pmf(k, n, p))}
             for k, n in COUNTS for p in [0.001, 0.01, 0.35, 0.9]],
    "wilson": [interval(k, n, level, "wilson") for k, n in COUNTS for level in LEVELS],
    "exact": [exact(k, n, level) for k, n in COUNTS for level in LEVELS],
    "test": [{"k": k, "n": n, "rate": r, "alternative": alt,
              "p": float(stats.binomtest(k, n, r, {"twoSided": "two-sided"}.get(alt, alt)).pvalue)}
             for k, n in COUNTS for r in [0.01, 0.3, 0.5, 0.97] for alt in ["less", "greater", "twoSided"]],
    "mcnemar": [{"b": b, "c": c, "p": float(stats.binomtest(min(b, c), b + c, 0.5).pvalue) if b + c else 1.0}
                for b, c in [(0, 0), (0, 1), (5, 5), (1, 9), (9, 1), (40, 72), (3, 120), (0, 60), (900, 1000)]],
    "holm": [{"p": p, "adjusted": holm(p)}
             for p in [[], [0.04], [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.02], [1, 0, 1e-9, 0.2, 0.2]]],
    "kappa": [{"table": t, "value": kappa(t)}
              for t in [[[20, 5], [10, 15]], [[50, 2, 1], [4, 30, 6], [0, 3, 9]], [[0, 10], [10, 0]],
                        [[7, 0], [3, 0]]]],
    "splitmix": [{"seed": s, "outputs": first(splitmix(s), 4)} for s in [0, 1234567]],
    "xoshiro": [{"seed": s, "outputs": first(xoshiro(s), 6)} for s in [0, 42, 1234567]],
    # The second bound lies where a quarter of all draws has to be rejected.
    "bounded": [{"seed": 8, "bound": str(b), "outputs": [str(below(g, b)) for _ in range(12)]}
                for b in [7, 3 << 61] for g in [xoshiro(8)]],
    "bootstrap": [bootstrap(pairs[:, 0].tolist(), pairs[:, 1].tolist(), 2000, 0.95, 1),
                  bootstrap(reals[:, 0].tolist(), reals[:, 1].tolist(), 1001, 0.9, 99)],
    "tango": [tango(b, c, n, level)
              for b, c, n in [(0, 0, 1), (0, 0, 300), (0, 1, 300), (1, 0, 300), (9, 0, 24), (12, 5, 40), (3, 3, 10),
                              (5, 5, 10), (0, 18, 1000), (450, 30, 1000), (0, 10, 10), (10, 0, 10), (7, 3, 10)]
              for level in [0.9, 0.95]],
    "signFlip": [sign_flip(d) for d in [
        [0], [3], [0, 0, 0], [1, 1, 1, -1], [-1, -1, -1, -1, -1, 1, 0, 0], [4, 4, -4, 4, 4], [5, -2, 1], [2, 1, -3],
        [7, 3, 3, 1, 1, -1, 2, 0, 5], [-6, -4, -4, 2, -1, -1, -3, 1, -2, -9, 0, -5, -7, -2],
        [1] * 30 + [-1] * 12 + [2] * 9 + [-3] * 4, [-(k % 5) - 1 for k in range(200)],
        [(k * 7) % 11 - 5 for k in range(120)]]],
    "grouped": [grouped(a, b, g, 1500, level, seed) for a, b, g, level, seed in [
        (clustered[:, 0].tolist(), None, named, 0.95, 0), (clustered[:, 0].tolist(), None, named, 0.8, 9),
        (clustered[:, 0].tolist(), clustered[:, 1].tolist(), named, 0.95, 0),
        (clustered[:, 0].tolist(), clustered[:, 0].tolist(), named, 0.95, 0),
        ([0] * 30, None, ["a", "b", "c"] * 10, 0.95, 0), ([1] * 8, [0] * 8, ["a", "b"] * 4, 0.95, 0),
        ([1, 0] * 10, None, ["a"] * 12 + ["b"] * 8, 0.95, 0),
        ([1] + [0] * 119, None, [f"{i % 6}" for i in range(120)], 0.95, 0),
        ([1] * 3 + [0] * 117, None, [f"{i // 10:02}" for i in range(120)], 0.9, 4),
        (pairs[:, 0].tolist(), pairs[:, 1].tolist(), [f"{i:02}" for i in range(60)], 0.95, 1)]],
    "student": [{"p": p, "df": df, "x": float(stats.t.ppf(p, df))}
                for p in [1e-9, 0.025, 0.3, 0.5, 0.95, 0.9995] for df in [1, 2, 3, 9, 30, 1000]],
    "hypergeometric": [{"drawn": k, "sample": m, "successes": s, "population": n,
                        "mass": float(stats.hypergeom.pmf(k, n, s, m)),
                        "cumulative": float(stats.hypergeom.cdf(k, n, s, m))}
                       for k, m, s, n in [(0, 1, 1, 2), (0, 0, 3, 5), (2, 5, 5, 9), (5, 5, 5, 9), (0, 5, 5, 9),
                                          (0, 300, 10, 1000), (3, 300, 40, 1000), (90, 300, 300, 1000),
                                          (2, 100, 7, 4000), (0, 50, 200, 4000), (19, 20, 150, 200), (4, 10, 4, 10),
                                          (3, 600, 12, 100000)]],
    "most": [{"successes": k, "sample": m, "population": n, "level": level, "most": most(k, m, n, level)}
             for k, m, n in [(0, 0, 7), (0, 10, 10), (3, 10, 10), (0, 100, 400), (1, 100, 400), (0, 300, 1000),
                             (5, 150, 900), (60, 75, 80), (0, 1, 3001), (75, 75, 500)]
             for level in [0.9, 0.975, 0.9975]],
    "wilsonReal": [{"p": p, "n": n, "level": level, "low": low, "high": high}
                   for p, n in [(0.0, 12.5), (1.0, 3.7), (0.031, 412.25), (0.5, 0.8), (0.9999, 1e6)]
                   for level in [0.8, 0.95] for low, high in [wilson(p, n, level)]],
    "doubleRate": [double_rate(strata, level) for level in [0.9, 0.95] for strata in [
        [[40, 40, 13, 0], [300, 100, 97, 0], [160, 50, 2, 0]],
        [[12, 12, 12, 0], [5, 0, 0, 1], [983, 120, 0, 0]],
        [[200, 60, 60, 0]], [[30, 30, 7, 0]], [[3, 0, 0, 0.5], [7, 1, 1, 0]]]],
    "doubleDifference": [double_difference(strata, identical, level) for level in [0.9, 0.95]
                         for strata, identical in [
                             ([[40, 40, 31, 2], [300, 100, 3, 1], [160, 50, 0, 2]], 500),
                             ([[25, 25, 25, 0], [400, 80, 0, 0]], 0), ([[60, 20, 0, 0], [4, 0, 0, 0]], 36),
                             ([[500, 100, 4, 9]], 100), ([], 40)]],
    "audited": [audited(*groups, all_read, level) for level in [0.9, 0.95]
                for groups, all_read in [
                    (([40, 40, 35, 2], [1000, 300, 290, 0], [900, 150, 150, 0]), False),
                    (([0, 0, 0, 0], [200, 200, 200, 1], [250, 250, 240, 0]), True),
                    (([0, 0, 0, 0], [200, 200, 200, 1], [250, 250, 240, 0]), False),
                    (([18, 18, 15, 6], [400, 100, 61, 3], [80, 0, 0, 0]), False),
                    (([3, 3, 2, 2], [10, 0, 0, 0], [0, 0, 0, 0]), False),
                    (([0, 0, 0, 0], [0, 0, 0, 0], [500, 100, 100, 0]), False)]],
}

path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(out, indent=None, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes, SciPy", scipy.__version__)
