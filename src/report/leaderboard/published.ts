/*
 * What the authors of MMMLU publish (openai/simple-evals, multilingual_mmlu_benchmark_results.md): accuracy by model
 * and language, all 14,042 rows of each, by their own protocol.
 */

/** The protocol of the figures. */
export const PUBLISHED_PROTOCOL = "simple-evals";

/** What of it is the same for all models: the newest of them, which reason, were sent no temperature and no bound. */
export const PUBLISHED_SETTINGS: Readonly<Record<string, unknown>> = { answerExtraction: "simple-evals" };

/** Rows of each language. */
export const PUBLISHED_ROWS = 14_042;

/** The table's columns, as MMMLU codes them. */
const LANGUAGES = "AR_XY BN_BD ZH_CN FR_FR DE_DE HI_IN ID_ID IT_IT JA_JP KO_KR PT_BR ES_LA SW_KE YO_NG".split(" ");

/** Accuracies in the order of {@link LANGUAGES}, to three places as they are published. */
const ACCURACIES: Readonly<Record<string, readonly number[]>> = {
  "o3-high": [0.904, 0.878, 0.893, 0.906, 0.905, 0.898, 0.898, 0.912, 0.89, 0.893, 0.91, 0.911, 0.86, 0.78],
  o1: [0.89, 0.873, 0.889, 0.893, 0.89, 0.883, 0.886, 0.897, 0.889, 0.882, 0.895, 0.899, 0.854, 0.754],
  "o4-mini-high": [0.861, 0.84, 0.869, 0.874, 0.867, 0.859, 0.869, 0.877, 0.869, 0.867, 0.878, 0.88, 0.813, 0.708],
  "o3-mini-high": [0.819, 0.801, 0.836, 0.837, 0.808, 0.811, 0.828, 0.838, 0.831, 0.826, 0.841, 0.84, 0.738, 0.637],
  "gpt-4.5-preview-2025-02-27": [
    0.86, 0.848, 0.87, 0.878, 0.853, 0.858, 0.872, 0.878, 0.869, 0.86, 0.879, 0.884, 0.82, 0.682,
  ],
  "gpt-4.1-2025-04-14": [
    0.844, 0.827, 0.861, 0.87, 0.855, 0.842, 0.859, 0.869, 0.856, 0.849, 0.87, 0.876, 0.795, 0.647,
  ],
  "gpt-4o-2024-11-20": [
    0.831, 0.801, 0.842, 0.846, 0.836, 0.819, 0.84, 0.845, 0.835, 0.829, 0.836, 0.843, 0.779, 0.621,
  ],
  "gpt-4.1-mini-2025-04-14": [
    0.795, 0.749, 0.817, 0.835, 0.823, 0.78, 0.816, 0.835, 0.81, 0.801, 0.839, 0.839, 0.679, 0.566,
  ],
  "gpt-4o-mini-2024-07-18": [
    0.709, 0.658, 0.731, 0.766, 0.743, 0.692, 0.745, 0.764, 0.726, 0.72, 0.768, 0.774, 0.619, 0.458,
  ],
  "gpt-4.1-nano-2025-04-14": [
    0.659, 0.583, 0.71, 0.739, 0.722, 0.629, 0.714, 0.734, 0.69, 0.679, 0.741, 0.748, 0.566, 0.455,
  ],
};

/** A published model's accuracy by language. */
export interface PublishedModel {
  readonly model: string;
  readonly accuracies: ReadonlyMap<string, number>;
}

/** The published models, in the order in which they are published. */
export const publishedModels = (): PublishedModel[] =>
  Object.entries(ACCURACIES).map(([model, accuracies]) => ({
    model,
    accuracies: new Map(LANGUAGES.map((language, at) => [language, accuracies[at]!])),
  }));
