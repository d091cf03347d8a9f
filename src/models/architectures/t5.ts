import type { Architecture } from "../architecture.js";
import { planT5 } from "../onnx/t5.js";
import { parseT5Config, t5WeightShapes } from "../t5/config.js";
import { t5FromCheckpoint, t5OfShape } from "../t5/load.js";
import { T5_TEXT, type T5Model } from "../t5/t5.js";

/** T5 v1.1 and Flan-T5 (Raffel et al. 2020; Chung et al. 2022): an encoder and a decoder. */
export const t5: Architecture<T5Model> = {
  modelTypes: ["t5"],
  title: "T5 v1.1 and Flan-T5",
  text: T5_TEXT,
  keepsBfloat16: false,
  weightShapes: (config) => t5WeightShapes(parseT5Config(config), false),
  planOnnx: planT5,
  fromCheckpoint: t5FromCheckpoint,
  ofShape: t5OfShape,
};
