import type { Gap, Lens, LensLabels } from "../evaluate/index.js";
import { csvOf } from "./csv.js";

const SUSPECT_COLUMNS =
  "id language subject question flagged q p failed runs expected right_elsewhere key answered answered_by " +
  "redux_error culture";

/** What a lens found as CSV files, for whoever mends the data: name and text of each. */
export function lensFiles(lens: Lens, labels: LensLabels = {}): { readonly name: string; readonly text: string }[] {
  const pairs = lens.runs.flatMap((run) =>
    lens.languages.flatMap((a, i) =>
      lens.languages.flatMap((b, j) => {
        const one = run.agreement[i]![j]!;
        return i < j ? [[run.name, a, b, one.n, one.sameLetter, one.sameOutcome, one.kappa, one.sameWrongLetter]] : [];
      }),
    ),
  );
  const gap = (run: string, by: string, one: Gap) => [
    run,
    one.language,
    lens.reference,
    by,
    one.group,
    one.n,
    one.accuracy,
    one.referenceAccuracy,
    one.difference,
    one.interval[0],
    one.interval[1],
    one.pValue,
    one.adjustedPValue,
  ];
  const all = lens.runs.flatMap((run) => [
    ...run.gaps.map((one) => gap(run.name, "all", one)),
    ...run.clean.gaps.map((one) => gap(run.name, "clean rows", one)),
    ...run.gapsByCategory.map((one) => gap(run.name, "category", one)),
    ...(run.gapsByLength ?? []).map((one) => gap(run.name, "length", one)),
    ...(run.gapsByUnknown ?? []).map((one) => gap(run.name, lens.unknownBy ?? "unknown tokens", one)),
    ...(run.gapsByCulture ?? []).map((one) => gap(run.name, "culture", one)),
  ]);
  return [
    {
      name: "suspects.csv",
      text: csvOf(
        SUSPECT_COLUMNS.split(" "),
        (lens.suspects?.list ?? []).map((one) => [
          one.id,
          one.language,
          one.subject,
          one.question,
          one.flagged,
          one.qValue,
          one.pValue,
          one.failed,
          one.runs,
          one.expected,
          one.rightElsewhere,
          one.key,
          one.wrongLetter,
          one.wrongLetterRuns,
          labels.errors?.get(one.question),
          labels.cultural?.get(one.question),
        ]),
      ),
    },
    {
      name: "keys.csv",
      text: csvOf("question,subject,what,key,other,share,answers,redux_error".split(","), [
        ...lens.keyDifferences.map(({ question, subject, usual, odd, keys }) => [
          question,
          subject,
          "differs between languages",
          usual,
          odd.map((language) => `${language} ${keys[language]}`).join("; "),
          undefined,
          undefined,
          labels.errors?.get(question),
        ]),
        ...lens.doubtfulKeys.map((one) => [
          one.question,
          one.subject,
          "answers agree on another letter",
          one.key,
          one.answered,
          one.share,
          one.answers,
          labels.errors?.get(one.question),
        ]),
      ]),
    },
    {
      name: "agreement.csv",
      text: csvOf("run,language,other,questions,same_letter,same_outcome,kappa,same_wrong_letter".split(","), pairs),
    },
    {
      name: "gaps.csv",
      text: csvOf(
        "run,language,reference,by,group,questions,accuracy,reference_accuracy,difference,low,high,p,p_holm".split(","),
        all,
      ),
    },
  ];
}
