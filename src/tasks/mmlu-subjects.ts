/** The four groups that the authors of MMLU put its subjects into (hendrycks/test, categories.py). */
export const CATEGORIES = ["STEM", "humanities", "social sciences", "other"] as const;
export type Category = (typeof CATEGORIES)[number];

const byCategory: Record<Category, string> = {
  STEM:
    "abstract_algebra anatomy astronomy college_biology college_chemistry college_computer_science " +
    "college_mathematics college_physics computer_security conceptual_physics electrical_engineering " +
    "elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science " +
    "high_school_mathematics high_school_physics high_school_statistics machine_learning",
  humanities:
    "formal_logic high_school_european_history high_school_us_history high_school_world_history " +
    "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory " +
    "professional_law world_religions",
  "social sciences":
    "econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics " +
    "high_school_microeconomics high_school_psychology human_sexuality professional_psychology " +
    "public_relations security_studies sociology us_foreign_policy",
  other:
    "business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing " +
    "medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology",
};

const categories = new Map<string, Category>(
  CATEGORIES.flatMap((category) => byCategory[category].split(" ").map((subject) => [subject, category] as const)),
);

/** The 57 subjects, sorted. */
export const SUBJECTS: readonly string[] = [...categories.keys()].sort();

/** A subject's category; a subject that MMLU does not have is `other`. */
export const categoryOf = (subject: string): Category => categories.get(subject) ?? "other";

/** Whether MMLU has a subject. */
export const isMmluSubject = (subject: string): boolean => categories.has(subject);
