import type { LossPoint, ValidationPoint } from "./figures/index.js";
import type { Tile } from "./parts.js";

/** What is drawn of a run's training. */
export interface TrainingCurves {
  readonly points: readonly LossPoint[];
  readonly validation: readonly ValidationPoint[];
  /** The loss of the published run with the same protocol, where it is known. */
  readonly published?: readonly Pick<LossPoint, "step" | "loss">[];
  readonly tiles: readonly Tile[];
}
