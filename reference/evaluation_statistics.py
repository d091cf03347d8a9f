"""Statistics by scipy and statsmodels: reference/golden/statistics.json.

    python reference/evaluation_statistics.py
"""
import json
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betaln
from scipy.stats import beta, binomtest, norm, permutation_test, t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

draw = np.random.default_rng(3)


def wilson():
    cases = [(0, 1), (1, 1), (0, 10), (10, 10), (3, 7), (1, 2), (664, 2344), (781, 2344), (1637, 2422), (5000, 10000)]
    return [{"correct": k, "n": n, "interval": list(proportion_confint(k, n, method="wilson"))} for k, n in cases]


def clopper_pearson():
    whole = [(0, 1), (1, 1), (0, 10), (10, 10), (3, 7), (664, 2344), (2300, 2344), (192000, 196588)]
    fractions = [(0.5, 1.0), (4.2, 5.6), (18.9, 19.9), (0.05, 14.3), (190.25, 200.5)]
    cases = [{"correct": k, "n": n, "interval": list(proportion_confint(k, n, method="beta"))} for k, n in whole]
    # statsmodels takes fractions too; at the ends scipy's own quantiles say the same.
    return cases + [{"correct": k, "n": n, "interval": [float(beta.ppf(0.025, k, n - k + 1)), float(beta.ppf(0.975, k + 1, n - k))]} for k, n in fractions]


def quantiles():
    return {
        "normal": [{"share": p, "z": float(norm.ppf(p))} for p in (0.001, 0.025, 0.5, 0.8, 0.9, 0.975, 0.9995)],
        "student": [{"level": level, "degreesOfFreedom": df, "t": float(t.ppf((1 + level) / 2, df))} for level in (0.9, 0.95, 0.99) for df in (1, 2, 4.5, 19, 300, 20000)],
        "beta": [{"share": p, "a": a, "b": b, "x": float(beta.ppf(p, a, b))} for p in (0.025, 0.5, 0.975) for a, b in ((0.5, 0.5), (3, 1), (20.3, 0.7), (900.5, 100.5), (98000, 98000))],
    }


def exact_mcnemar():
    cases = [(0, 0), (0, 1), (1, 0), (0, 6), (3, 9), (10, 10), (59, 6), (121, 59), (300, 250), (1200, 1100), (2500, 2100)]
    return [{"first": b, "second": c, "p": float(mcnemar([[5, b], [c, 7]], exact=True).pvalue) if b + c else 1.0, "binomtest": float(binomtest(b, b + c).pvalue) if b + c else 1.0} for b, c in cases]


def holm():
    out = []
    for size in (1, 2, 5, 57):
        p = np.round(draw.beta(0.4, 1.5, size), 6)
        out.append({"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()})
    out.append({"p": [0.01, 0.01, 0.03, 0.5], "adjusted": multipletests([0.01, 0.01, 0.03, 0.5], method="holm")[1].tolist()})
    return out


def clustered():
    out = []
    for clusters, most in ((40, 2), (200, 2), (60, 5), (30, 1)):
        groups, values = [], []
        for g in range(clusters):
            p = draw.beta(2, 2)
            for _ in range(draw.integers(1, most + 1)):
                groups.append(g)
                values.append(int(draw.random() < p))
        fit = sm.OLS(np.array(values, float), np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)})
        out.append({"groups": groups, "correct": values, "standardError": float(fit.bse[0])})
    return out


def shrinkage():
    out = []
    for spread, design_effect in ((0.3, 1), (0.05, 1), (0.15, 3.5)):
        n = draw.integers(2, 120, 57)
        p = np.clip(draw.normal(0.5, spread, 57), 0.02, 0.98)
        k = draw.binomial(n, p) / design_effect
        n = n / design_effect
        mean = k.sum() / n.sum()

        def loss(log_weight):
            w = np.exp(log_weight)
            return -np.sum(betaln(k + mean * w, n - k + (1 - mean) * w) - betaln(mean * w, (1 - mean) * w))

        best = minimize_scalar(loss, bounds=(np.log(0.1), np.log(1e6)), method="bounded", options={"xatol": 1e-9})
        weight = float(np.exp(best.x))
        out.append({"n": n.tolist(), "correct": k.tolist(), "weight": weight, "estimates": ((k + mean * weight) / (n + weight)).tolist()})
    return out


def clustered_mcnemar():
    out = []
    for questions, least, most in ((6, -1, 1), (10, -2, 2), (12, -1, 2), (14, -1, 3), (14, -2, 2)):
        d = draw.integers(least, most + 1, questions)
        # With as many resamples as there are sign patterns scipy counts them all: exact.
        p = permutation_test((d,), lambda x, axis=-1: x.sum(axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True).pvalue
        out.append({"differences": d.tolist(), "p": float(p)})
    return out


def power():
    out = []
    for questions, languages, discordance, correlation, alpha, strength in ((500, 1, 0.1, 0.0, 0.05, 0.8), (40, 14, 0.2, 0.3, 0.05, 0.8), (1000, 14, 0.1, 0.4, 0.01, 0.9), (14042, 2, 0.25, 0.6, 0.05, 0.8)):
        rows = questions * languages / (1 + (languages - 1) * correlation)

        def missing(d):
            # Connor (1987): of the statistic's normal distribution, what lies beyond the critical value.
            return norm.sf((norm.ppf(1 - alpha / 2) * np.sqrt(discordance) - d * np.sqrt(rows)) / np.sqrt(discordance - d * d)) - strength

        out.append({"questions": questions, "languages": languages, "discordance": discordance, "correlation": correlation, "alpha": alpha, "power": strength, "difference": float(brentq(missing, 1e-9, discordance * (1 - 1e-9), xtol=1e-14))})
    return out


def main():
    golden = {"wilson": wilson(), "mcnemar": exact_mcnemar(), "holm": holm(), "clustered": clustered(), "shrinkage": shrinkage(), "clopperPearson": clopper_pearson(), "quantiles": quantiles(), "power": power(), "clusteredMcnemar": clustered_mcnemar()}
    target = Path(__file__).parent / "golden" / "statistics.json"
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(target, target.stat().st_size)


main()
