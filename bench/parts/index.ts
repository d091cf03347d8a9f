import type { Part } from "../table.js";
import { answer } from "./answer.js";
import { eda } from "./eda.js";
import { firstLine } from "./first-line.js";
import { growth } from "./growth.js";
import { http } from "./http.js";
import { install } from "./install.js";
import { llama } from "./llama.js";
import { split } from "./split.js";
import { tokens } from "./tokens.js";
import { qlora, train } from "./train.js";

/** All parts of the table, the quick ones first. */
export const PARTS: Readonly<Record<string, Part>> = {
  "first-line": firstLine,
  split,
  tokens,
  eda,
  http,
  install,
  llama,
  train,
  answer,
  growth,
  qlora,
};
