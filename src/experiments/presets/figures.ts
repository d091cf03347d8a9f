import { z } from "zod";
import type { LossCurve, MeasuredStage, ReproducedFigure } from "./experiment.js";

type Figure = (name: string, published: number, measured: unknown) => ReproducedFigure;

const figure =
  (unit: ReproducedFigure["unit"]): Figure =>
  (name, published, measured) => ({
    name,
    published,
    measured: typeof measured === "number" ? measured : undefined,
    unit,
  });

/** A count: the run's agrees where it is the same. */
export const count = figure("count");
export const number = figure("number");
/** A number from 0 to 1. */
export const share = figure("share");

/** An accuracy with its interval: the run's agrees where that holds the published one. */
export const accuracy = (name: string, published: number, stage: MeasuredStage | undefined): ReproducedFigure => ({
  ...share(name, published, stage?.accuracy),
  ...(stage?.statistics ? { interval: stage.statistics.clustered.interval } : {}),
});

/** Rows true A to D, columns predicted A to D. */
export type PublishedConfusion = readonly (readonly number[])[];

/** Rows and accuracy by subject. */
export type PublishedSubjects = Readonly<Record<string, readonly [n: number, accuracy: number]>>;

const measuredConfusion = z.array(z.array(z.number()));
const measuredSubjects = z.looseObject({
  subjects: z.array(
    z.looseObject({
      subject: z.string(),
      n: z.number(),
      accuracy: z.number(),
      clusteredInterval: z.tuple([z.number(), z.number()]),
    }),
  ),
});

/** Each cell of a confusion matrix: how many rows of a letter were answered with a letter. */
export function confusionFigures(
  group: string,
  published: PublishedConfusion,
  stage: MeasuredStage | undefined,
): ReproducedFigure[] {
  const measured = measuredConfusion.safeParse(stage?.confusion).data;
  return published.flatMap((row, truth) =>
    row.map((value, predicted) => ({
      ...number(`true ${"ABCD"[truth]}, predicted ${"ABCD"[predicted]}`, value, measured?.[truth]?.[predicted]),
      group,
    })),
  );
}

/** Each subject's rows and accuracy, with its interval; the lowest and the highest, however few their rows. */
export function subjectFigures(
  after: string,
  published: PublishedSubjects,
  stage: MeasuredStage | undefined,
): ReproducedFigure[] {
  const found = measuredSubjects.safeParse(stage?.statistics).data?.subjects;
  const bySubject = new Map(found?.map((one) => [one.subject, one]));
  const entries = Object.entries(published);
  const extreme = (name: string, pick: (...values: number[]) => number): ReproducedFigure => {
    const value = pick(...entries.map(([, [, accuracy]]) => accuracy));
    const which = entries
      .filter(([, [, accuracy]]) => accuracy === value)
      .map(([subject, [n]]) => `${subject}, n = ${n}`);
    return share(
      `${name} accuracy of a subject${after} (published: ${which.join("; ")})`,
      value,
      found?.length ? pick(...found.map(({ accuracy }) => accuracy)) : undefined,
    );
  };
  return [
    extreme("lowest", Math.min),
    extreme("highest", Math.max),
    ...entries.map(([subject, [n]]) => ({
      ...count(subject, n, bySubject.get(subject)?.n),
      group: `rows by subject${after}`,
    })),
    ...entries.map(([subject, [, accuracy]]) => ({
      ...share(subject, accuracy, bySubject.get(subject)?.accuracy),
      ...(bySubject.has(subject) ? { interval: bySubject.get(subject)!.clusteredInterval } : {}),
      group: `accuracy by subject${after}`,
    })),
  ];
}

/** The mean loss of each so many steps. */
export const lossFigures = (
  { every, losses }: LossCurve,
  measured: readonly { readonly step: number; readonly loss: number }[] | undefined,
): ReproducedFigure[] => {
  const bySteps = new Map(measured?.map(({ step, loss }) => [step, loss]));
  return losses.map((loss, index) => ({
    ...number(`step ${(index + 1) * every}`, loss, bySteps.get((index + 1) * every)),
    group: `training loss every ${every} steps`,
  }));
};
