/**
 * Who answers (a chat server, a local model, a baseline), how they are asked, how replies are read, our own server.
 *
 * ```ts
 * import { gemma3Messages, readReply } from "mmmlu-lab/answer";
 * import { loadCorpus } from "mmmlu-lab/data";
 *
 * const { rows } = await loadCorpus({ source: "sample", languages: ["DE_DE"] });
 * console.log(gemma3Messages(rows.slice(0, 2)));
 * console.log(readReply("lines", "A\nB", 2), readReply("robust", "The answer is (C).", 1));
 * ```
 *
 * @module
 */

export type { Retry } from "../base/retry.js";
export {
  type AnswerContext,
  type Answerer,
  type AnswerRequest,
  type LettersAsked,
  type MeasuredLetters,
  type RawReply,
  type RequestPreview,
  rawReplySchema,
  Unanswered,
} from "./answerer.js";
export {
  type AnswererKind,
  type AnswererOptions,
  answererKindOf,
  answererKinds,
  asksServer,
  sourceOfModel,
} from "./answerers/index.js";
export { type BaselineName, type BaselineOptions, baseline, baselineNames } from "./baseline.js";
export { BATCH_LIMITS, batchReply, batchRequest, readBatchResult } from "./batch.js";
export { BadReply } from "./chat-reply.js";
export { type ChatServerOptions, chatServer, DEFAULT_API_KEY, DEFAULT_ENDPOINT, endpointOf } from "./chat-server.js";

export { type Examined, type ExamineOptions, examineEndpoint } from "./doctor/examine-endpoint.js";
export type { Finding } from "./doctor/finding.js";

export {
  type FormatOptions,
  type PromptFormat,
  type PromptName,
  type PromptTemplate,
  promptFormats,
  promptNames,
  templateFormat,
  templateProblem,
} from "./formats/index.js";

export { GEMMA3_SYSTEM_PROMPT, instructionIn, NATIVE_INSTRUCTIONS } from "./instructions.js";
export { type LocalAnswererOptions, localAnswerer } from "./local.js";
export {
  type ChatMessage,
  flanT5Prompt,
  gemma2Prompt,
  gemma3Messages,
  gemma3Prompt,
  type InstructionName,
  questionAndChoices,
  type RowTextName,
  rowTexts,
} from "./prompts.js";
export {
  type Protocol,
  type ProtocolName,
  protocolNames,
  protocols,
  type ShotSource,
  shotSources,
} from "./protocols/index.js";
export {
  type Reading,
  type ReadingName,
  readingNames,
  readings,
  readLetter,
  readReply,
  settled,
} from "./reading/index.js";
export { withoutReasoning } from "./reading/reasoning.js";
export {
  gemma3Plan,
  type PlanOptions,
  planOf,
  promptPlan,
  type RequestPlan,
  requestKeys,
  requestsFor,
} from "./requests.js";
export { type Access, checkAccess } from "./server/access.js";
export { type ChatTemplate, chatTemplateOf } from "./server/chat-template.js";
export type { ScoredPrompt, TextEnd, TextEngine, TextRequest, TextToken } from "./server/engine.js";
export { type LocalEngineOptions, localEngine } from "./server/local-engine.js";
export { encodePrompt } from "./server/prompt-tokens.js";
export { type ModelServer, type ServeOptions, serveModel } from "./server/server.js";
export { type WorkerEngine, type WorkerEngineOptions, workerEngine } from "./server/worker-engine.js";
export { chooseShots, type ShotCounts, type ShotOptions, type Shots } from "./shots.js";
