const stageTitle: Record<string, string> = {
  baseline: "before training",
  final: "after training",
  test: "on the test rows",
};
export const titleOfStage = (stage: string): string => stageTitle[stage] ?? stage;
