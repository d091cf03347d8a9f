"""Golden values for src/answer/reading/simple-evals.test.ts: OpenAI's simple-evals itself, its prompts and how it scores replies.

git clone https://github.com/openai/simple-evals /tmp/simple-evals
python reference/simple_evals.py /tmp/simple-evals > reference/golden/simple-evals.json

Nothing of its code comes into this repository: what it is given, and what it says of it.
"""
import importlib
import importlib.util
import io
import json
import random
import sys
import types
from pathlib import Path

import pandas

folder = Path(sys.argv[1]).resolve()
package = types.ModuleType("simple_evals_clone")
package.__path__ = [str(folder)]
sys.modules["simple_evals_clone"] = package
evaluation = importlib.import_module("simple_evals_clone.mmlu_eval")
common = importlib.import_module("simple_evals_clone.common")
common.map_with_progress = lambda function, rows: [function(row) for row in rows]
evaluation.common = common


class Sampler:
    """Answers with what the row holds for it."""

    def _pack_message(self, role, content):
        return {"role": role, "content": content}

    def __call__(self, messages):
        reply = types.SimpleNamespace(response_text=self.reply, actual_queried_message_list=messages)
        self.prompt = messages
        return reply


def letter_of(reply):
    """The letter for which the original counts a reply as right; None where it does so for none."""
    task = object.__new__(evaluation.MMLUEval)
    sampler = Sampler()
    sampler.reply = reply
    right = []
    for letter in "ABCD":
        task.examples = [{"Question": "q", "A": "1", "B": "2", "C": "3", "D": "4", "Answer": letter, "Subject": "anatomy"}]
        if task(sampler).score == 1.0:
            right.append(letter)
    assert len(right) <= 1
    return right[0] if right else None


# How replies in MMMLU's languages and in English announce an answer, known to the original or not.
WORDS = {
    "EN": ["Answer", "answer", "ANSWER", "Final answer", "The answer is", "An\u017fwer"],
    "AR_XY": ["الإجابة", "الجواب", "إجابة", "الإجابة النهائية", "الإجابة الصحيحة", "الإجابة الصحيحة هي", "الإجابة هي", "الجواب النهائي", "الاجابة"],
    "BN_BD": ["উত্তর", "উত্তরঃ", "সঠিক উত্তর", "চূড়ান্ত উত্তর"],
    "DE_DE": ["Antwort", "antwort", "Die Antwort", "Antwort lautet", "Lösung"],
    "ES_LA": ["Respuesta", "respuesta", "RESPUESTA", "La respuesta es", "Respuesta final"],
    "FR_FR": ["Réponse", "réponse", "RÉPONSE", "Re\u0301ponse", "La réponse"],
    "HI_IN": ["उत्तर", "सही उत्तर", "उत्तर है", "जवाब"],
    "ID_ID": ["Jawaban", "jawaban", "Jawaban akhir", "JAWABAN"],
    "IT_IT": ["Risposta", "risposta", "R\u0130SPOSTA", "R\u0131sposta", "La risposta è"],
    "JA_JP": ["答え", "回答", "解答", "正解", "最終回答"],
    "KO_KR": ["답변", "정답", "답", "최종 답변", "정답은"],
    "PT_BR": ["Resposta", "resposta", "RESPOSTA", "A resposta"],
    "SW_KE": ["Jibu", "jibu", "J\u0130bu", "Jibu sahihi", "JIBU"],
    "YO_NG": ["Idahun", "Ìdáhùn", "Idáhùn", "A\u0300m\u1ecd\u0300na\u0300", "Àmọ̀nà", "Àdáhùn", "A\u0300nu\u0301go\u0323", "Ànúgọ", "Àṣàyàn", "ìdáhùn"],
    "ZH_CN": ["答案", "答", "答复", "答曰", "最终答案", "正确答案是"],
}
COLONS = [":", " :", ":  ", "：", " ： ", ":\t", ": ", ":\n", "\u00a0: ", "\u3000：", "\x1c: ", "\ufeff: ", ":" + "\u200b" * 6, ":\u200b", " ", "=", "ঃ", "\u2009:", "::", ""]
LETTERS = ["A", "B", "C", "D", "a", "d", "E", "أ", "ب", "ج", "د", "ا", "إ", "ت", "ح", "অ", "ব", "ড", "ঢ", "ক", "Ａ", "Ｂ", "Ｃ", "Ｄ", "ａ", "Α", "В", "1", "AB", "Ä", "A\u0301"]
AROUND = ["{}", "**{}**", "$\\boxed{{{}}}$", "\\boxed{{{}}}", "$\\text{{{}}}$", "$\\mathrm{{{}}}$", "$\\mathbf{{{}}}$", "\\({}\\)", "${}$", "\\${}\\$", "({})", "[{}]", "'{}'", "{}.", "{})", "*{}*", "\\text{{{}}}", "\\{{{}\\}}", "{{{}}}", "\\textbf{{{}}}", "{} is right", " {}", "\n{}", "$LETTER {}"]
BEFORE = ["", "", "", "Let us think step by step.\n\n", "Answer: none of them yet. ", "A) is wrong, B) too.\n", "<think>Answer: A</think>\n", "**", "## ", "The last line is 'Answer: $LETTER'.\n", "\u200f", "x = \\{A, B\\}\n"]
AFTER = ["", "", "", "\n", " because it is so.", "\nAnswer: D", "**", "\n\nقلت: ب", "$", "\n答案：C", "}$"]


def replies():
    draw = random.Random(7)
    for reply in json.loads((Path(__file__).parent.parent / "src/answer/reading/robust/cases.json").read_text()):
        yield reply["reply"]
    for words in WORDS.values():
        for word in words:
            for _ in range(26):
                said = draw.choice(AROUND).format(draw.choice(LETTERS))
                if draw.random() < 0.3:
                    said = draw.choice(LETTERS)
                announced = word + (draw.choice(COLONS) if draw.random() < 0.7 else ": ") + said
                if draw.random() < 0.2:
                    announced = f"**{word}:** {said}"
                yield draw.choice(BEFORE) + announced + draw.choice(AFTER)
    every = [word for words in WORDS.values() for word in words]
    for _ in range(400):
        yield "\n".join(
            f"{draw.choice(every)}{draw.choice(COLONS[:6])}{draw.choice(AROUND[:10]).format(draw.choice(LETTERS))}" for _ in range(draw.randint(2, 4))
        )


ROWS = ''',Question,A,B,C,D,Answer,Subject
0, Was ist 2+3? ,1,2,5,None,C,elementary_mathematics
1,"Zeile eins
Zeile zwei, mit {Klammern} und $5",NA,nan,null,N/A,A,anatomy
2,"Quote ""x""", führend, folgend ,NULL,,B,anatomy
3,वह क्या है?,अ,ब,None of these,-nan,D,law
4,n/a?,1.0,1e3,#N/A,<NA>,A,law
'''


def prompt_of(row):
    sampler = Sampler()
    sampler.reply = ""
    task = object.__new__(evaluation.MMLUEval)
    task.examples = [row]
    task(sampler)
    return sampler.prompt[0]["content"]


frame = pandas.read_csv(io.StringIO(ROWS))
plain = pandas.read_csv(io.StringIO(ROWS), keep_default_na=False, dtype=str)
prompts = [
    {"row": {key: value for key, value in text.items() if key}, "prompt": prompt_of(row)}
    for (_, row), (_, text) in zip(((i, r.to_dict()) for i, r in frame.iterrows()), ((i, r.to_dict()) for i, r in plain.iterrows()))
]
seen = dict.fromkeys(replies())
out = {
    "categories": evaluation.subject2category,
    "prompts": prompts,
    "replies": [[reply, letter_of(reply)] for reply in seen],
}
json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))
sys.stdout.write("\n")
