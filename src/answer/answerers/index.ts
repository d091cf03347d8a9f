/** Who can be asked: one more kind is a file here and a line in this one. */
import { baselines } from "./baselines.js";
import { chatServers } from "./chat-servers.js";
import type { AnswererKind } from "./kind.js";
import { localModels } from "./local-models.js";

export type { AnswererChoice, AnswererKind, AnswererOptions } from "./kind.js";

/** The last takes what none before it does. */
export const answererKinds = [baselines, localModels, chatServers] as const satisfies readonly AnswererKind[];

/** The kind of answerer that a model's name is of. */
export const answererKindOf = (model: string): AnswererKind =>
  (answererKinds as readonly AnswererKind[]).find(
    ({ prefix, takes }) => takes?.(model) ?? (prefix === null || model.startsWith(prefix)),
  ) ?? chatServers;
