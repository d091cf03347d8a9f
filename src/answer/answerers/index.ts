/** Who can be asked: one more kind is a file here and a line in this one. */
import { baselines } from "./baselines.js";
import { chatServers } from "./chat-servers.js";
import type { AnswererKind } from "./kind.js";
import { llamaFiles } from "./llama-files.js";
import { localModels } from "./local-models.js";

export type { AnswererChoice, AnswererKind, AnswererOptions } from "./kind.js";

/** The last takes what none before it does. */
export const answererKinds: readonly AnswererKind[] = [baselines, llamaFiles, localModels, chatServers];

/** The kind of answerer that a model's name is of. */
export const answererKindOf = (model: string): AnswererKind =>
  answererKinds.find(({ prefix, takes }) => takes?.(model) ?? (prefix === null || model.startsWith(prefix))) ??
  chatServers;

/** What a model's name says behind its kind's prefix: `local:models/x` is `models/x`; others as they are. */
export function sourceOfModel(model: string): string {
  const { prefix } = answererKindOf(model);
  return prefix !== null && model.startsWith(prefix) ? model.slice(prefix.length) : model;
}

/** Whether a model's name is one that a server is asked for. */
export const asksServer = (model: string): boolean => answererKindOf(model) === chatServers;
