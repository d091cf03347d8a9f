export type { Answerer, AnswerContext, AnswerRequest, RawReply } from "./answerer.js";
export { baseline, type BaselineName, baselineNames, type BaselineOptions, isBaseline } from "./baseline.js";
export { chatServer, type ChatServerOptions, DEFAULT_API_KEY, DEFAULT_ENDPOINT, endpointOf } from "./chat-server.js";
export { localAnswerer, type LocalAnswererOptions } from "./local.js";
export { GEMMA3_SYSTEM_PROMPT, instructionIn, NATIVE_INSTRUCTIONS } from "./instructions.js";
export { type ChatMessage, flanT5Prompt, gemma2Prompt, gemma3Messages, gemma3Prompt, type InstructionName, questionAndChoices, type RowTextName, rowTexts } from "./prompts.js";
export { type Reading, type ReadingName, readings, readLetter, readReply, settled } from "./reading.js";
export { gemma3Plan, promptPlan, requestKeys, requestsFor, type RequestPlan } from "./requests.js";
export type { Retry } from "./retry.js";
