"""Golden values for src/answer/reading/index.test.ts: the published readings by Python's own re, strip, upper and splitlines.

python reference/readings.py > reference/golden/readings.json
"""
import json
import random
import re

PIECES = [
    "A", "B", "C", "D", "a", "b", "c", "d", "é", "E", "e\u0301", "\u0301", " ", "  ", "\n", "\n\n", "\r\n", "\t", ")", "(", ".", ":", "**", "$", "_", "1", "Q1: ",
    "Answer: ", "d'", "l'", "-", "ß", "ẚ", "ﬀ", "ー", "ア", "क", "ि", "أ", "٣", "²", "Ⅳ", "①", "\u3000", "\u00a0", "\u0085", "\u2028", "\x1c", "\ufeff", "\u200b", "𝐀", "Ａ", "Réponse", "ABCD", "😀",
]


def first_character(text):
    head = text.strip()[:1]
    return head if head in ("A", "B", "C", "D") else None


def first_match(text):
    match = re.search(r"\b([A-Da-d])\b", text)
    return match.group(1).upper() if match else None


def last_match(text):
    matches = re.findall(r"\b([A-Da-d])\b", text)
    return matches[-1].upper() if matches else None


def lines(text, questions):
    letters = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = re.match(r"([A-D])\b", line.strip().upper())
        if match:
            letters.append(match.group(1))
    if len(letters) < questions:
        every = re.findall(r"[A-D]", text.upper())
        if len(every) >= len(letters):
            letters = every
    letters = letters[:questions] + ["?"] * (questions - len(letters))
    return [None if letter == "?" else letter for letter in letters]


random.seed(7)
texts = [
    "A", "b", "", "  C) Paris", "é", "éA", "Aé", "A é", "Ae\u0301", "d'accord: B", "La réponse est a", "ABCDABCD", "A\nB\nC\nD\nA\nB\nC\nD", "Q1: A\nQ2: B",
    "A) eins\nB) zwei", "A B C D", "A\n\nB\r\nC", "a\nb\nc", "Die Antwort ist C.", "1. A\n2. B", "None", "A_", "_A", "A1", "A.", "(A)",
]
texts += ["".join(random.choices(PIECES, k=random.randint(1, 12))) for _ in range(600)]
cases = []
for text in texts:
    cases.append([text, first_character(text), first_match(text), last_match(text), "".join(x or "?" for x in lines(text, 1)), "".join(x or "?" for x in lines(text, 8))])
print("[")
print(",\n".join(json.dumps(case, ensure_ascii=True) for case in cases))
print("]")
