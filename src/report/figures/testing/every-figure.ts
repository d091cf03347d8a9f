import {
  compareRuns,
  evaluationMetrics,
  evaluationStatistics,
  type Lens,
  lensOf,
  type Prediction,
} from "../../../evaluate/index.js";
import { explainDifference, type Result } from "../../../exchange/index.js";
import { LANGUAGES, lettersOf, mmmlu, SUBJECTS } from "../../../tasks/index.js";
import { changeFigure, runsFigure } from "../comparison.js";
import { confusionFigure, evaluationFigures, groupFigure, letterFigure } from "../evaluation.js";
import { explorationFigures } from "../exploration.js";
import type { Figure } from "../figure.js";
import {
  agreementFigure,
  cleanFigure,
  gapFigure,
  gapsByFigure,
  repliesFigure,
  rightInFigure,
  suspectsFigure,
} from "../lens.js";
import { learningRateFigure, lossFigure } from "../training.js";
import { waterfallFigure } from "../waterfall.js";

const LETTERS = mmmlu.letters;

/** A name that a run may have, in the script of each language. */
export const NAMES = [
  "الإجابة الصحيحة على كل الأسئلة بعد التدريب الثاني",
  "প্রশিক্ষণের পরে সমস্ত প্রশ্নের সঠিক উত্তর",
  "Größtmögliche Übereinstimmung nach dem Weitertrainieren",
  "प्रशिक्षण के बाद सभी प्रश्नों के सही उत्तर",
  "学習後のすべての質問に対する正解、その二",
  "훈련 후 모든 질문에 대한 정답, 두 번째",
  "Ìdáhùn tó tọ́ sí gbogbo ìbéèrè lẹ́yìn ìdánilẹ́kọ̀ọ́",
  "训练后所有问题的正确答案，第二次",
  "gemma-3-27b-it@WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW-@-mmmmmmmmmmmmmmm",
  "W",
] as const;

/** Rows of all languages and subjects, a part of them unreadable; `share` of the others are right. */
export function somePredictions(share: number, rows = 14 * 57 * 8, stage = "test"): Prediction[] {
  return Array.from({ length: rows }, (_, i) => {
    const [language, subject] = [LANGUAGES[i % 14]!, SUBJECTS[Math.floor(i / 14) % 57]!];
    const answer = LETTERS[(i * 7) % 4]!;
    const right = (i * 2654435761) % 1000 < 1000 * share;
    return {
      id: `${language}/${subject}/${Math.floor(i / 798)}`,
      language,
      subject,
      answer,
      prediction: i % 50 === 5 ? null : right ? answer : LETTERS[(LETTERS.indexOf(answer) + 1 + (i % 3)) % 4]!,
      reply: "",
      stage,
    };
  });
}

/** Every kind of figure that there is, with names, counts and shares that take much room. */
export function everyFigure(): Figure[] {
  const [few, many] = [somePredictions(0.4, 300), somePredictions(1)];
  const comparison = compareRuns(
    NAMES.map((name, index) => ({ name, predictions: somePredictions(0.3 + 0.07 * index, 14 * 57) })),
  );
  const calibration = {
    expectedCalibrationError: 0.1,
    errorIfCalibrated: 0.02,
    brier: 0.5,
    n: 100,
    bins: [0.05, 0.5, 0.999].map((confidence) => ({ low: 0, high: 1, n: 10, confidence, accuracy: confidence })),
  };
  const large = evaluationStatistics(many);
  const letters = large.letters.map((one) => ({ ...one, truth: 196_588, predicted: 196_580 }));
  const confusion = evaluationMetrics(many).confusion.map((row) => row.map((count) => count * 100));
  return [
    ...evaluationFigures(evaluationStatistics(few), evaluationMetrics(few).confusion, "few"),
    ...evaluationFigures({ ...large, letters, calibration } as typeof large, confusion, "many"),
    ...tenChoices(),
    groupFigure(
      "stages",
      "Stages",
      ["before training", "after training"].map((label) => ({ label, published: 1, ...large.overall })),
    ),
    runsFigure(comparison),
    ...comparison.pairs
      .filter((_, index) => [0, 4, 7].includes(index))
      .map((pair, index) => changeFigure(pair, `change-${index}`)),
    ...lensFigures(),
    ...waterfalls(),
    ...[70, 2000, 20_000].flatMap((longest) => exploration(longest)),
    lossFigure(losses(60), [
      { step: 30, epoch: 1, loss: 2.4 },
      { step: 59, epoch: 2, loss: 1.2 },
    ]),
    lossFigure(losses(3)),
    lossFigure(losses(60), [], losses(60, 10)),
    { ...lossFigure(losses(12_000_000, 1_000_000)), name: "loss-long" },
    learningRateFigure(losses(60)),
    learningRateFigure(losses(12_000_000, 1_000_000)),
  ].map((figure, index) => ({ ...figure, name: `${index}-${figure.name}` }));
}

/** Of a task with as many choices as there may be. */
function tenChoices(): Figure[] {
  const letters = Array.from(lettersOf(10), (letter) => ({
    letter,
    truth: 1_404,
    predicted: 1_398,
    excess: 0,
    recall: 1,
  }));
  return [
    confusionFigure(
      letters.map(() => [...letters, 0].map(() => 1_234)),
      "ten-confusion",
    ),
    letterFigure(letters, "ten-letters"),
  ];
}

const losses = (steps: number, by = 1): { step: number; loss: number; learningRate: number }[] =>
  Array.from({ length: Math.ceil(steps / by) }, (_, i) => ({
    step: i * by,
    loss: 11 / (i + 1),
    learningRate: 1.2345e-5 * (1 - i / steps),
  }));

function exploration(longest: number): Figure[] {
  const by = (names: readonly string[], value: number): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, value]));
  const edges = Array.from({ length: 31 }, (_, i) => (i * longest) / 30);
  const counts = edges.slice(1).map((_, i) => 196_588 >> (i / 3));
  return explorationFigures({
    languages: by(LANGUAGES, 14_042),
    answers: { ...by(LETTERS, 49_000), "wrong key": 3 },
    subjects: by(SUBJECTS, 21_476),
    answersBySubject: Object.fromEntries(SUBJECTS.map((subject) => [subject, by(LETTERS, 25)])),
    histograms: [
      {
        name: "question-and-choices",
        edges,
        counts,
        closeUp: { edges: edges.slice(0, 11), counts: counts.slice(0, 10) },
      },
    ],
    tokensByLanguage: LANGUAGES.map((language) => ({ language, low: longest / 4, middle: longest / 3, high: longest })),
    tokensPerCharacter: LANGUAGES.map((language) => ({ language, share: 1.234 })),
  });
}

/** Of fourteen languages, with gaps in both directions and every kind of reply; and of two. */
function lensFigures(): Figure[] {
  const rows = somePredictions(0.62, 14 * 57 * 6).map((one, i) => ({
    ...one,
    reply: i % 100 === 5 ? "I'm sorry, I cannot" : "",
    ...(i % 150 === 55 ? ({ unreadable: "cut", cut: true } as const) : {}),
  }));
  const tokens = new Map(
    rows.map(({ id }, i) => [id, { count: 20 + (i % 700), unknown: (i % 9) / 100, perCharacter: (i % 11) / 20 }]),
  );
  const cultural = new Map(rows.map(({ id }, i) => [id.slice(6), i % 3 ? "agnostic" : "culturally sensitive"]));
  const lens = lensOf([{ name: "a", predictions: rows }], { labels: { tokens, tokenizer: "a", cultural } });
  const two = lensOf([{ name: "a", predictions: rows.filter(({ language }) => /^(DE|FR)/.test(language)) }]);
  const own = (of: Lens, prefix: string): Figure[] => {
    const [run] = of.runs as [Lens["runs"][number]];
    return [
      agreementFigure(of, run, `${prefix}-agreement`),
      rightInFigure(run, `${prefix}-right-in`),
      gapFigure(of, run, `${prefix}-gaps`),
      gapsByFigure(of, run.gapsByCategory, "category", `${prefix}-gaps-by-category`),
      ...(run.gapsByLength ? [gapsByFigure(of, run.gapsByLength, "length", `${prefix}-gaps-by-length`)] : []),
      ...(run.gapsByCulture ? [gapsByFigure(of, run.gapsByCulture, "culture", `${prefix}-gaps-by-culture`)] : []),
      repliesFigure(run, `${prefix}-replies`),
      cleanFigure(run, `${prefix}-clean`),
      suspectsFigure(of, `${prefix}-suspects`),
    ];
  };
  return [...own(lens, "lens"), ...own(two, "lens-two")];
}

/** Of two results with every part, and names that take much room. */
function waterfalls(): Figure[] {
  const of = (name: string, share: number): Result => ({
    name,
    path: name,
    tool: "a tool",
    facts: { scoring: "generated" },
    texts: new Map(),
    notes: [],
    predictions: somePredictions(share, 14 * 57),
  });
  return NAMES.slice(7, 9).map((name, index) => {
    const found = explainDifference(of(name, 0.4), { ...of(NAMES[0], 0.9), name: NAMES[index]! });
    return { ...waterfallFigure(found), name: `waterfall-${index}` };
  });
}
