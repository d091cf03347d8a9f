import { promptFormats, protocols, templateProblem } from "../../answer/index.js";
import type { EvaluateConfiguration } from "./schema.js";

/**
 * What of an evaluation's protocol, prompt and examples does not go together.
 * @param refuse throws, naming the key
 */
export function refuseProtocol(
  { answerer, answerExtraction }: EvaluateConfiguration,
  refuse: (key: string, why: string) => never,
): void {
  const { prompt, template, questionsPerRequest, systemMessage, shots, shotSource } = answerer;
  const problem = template && templateProblem(template);
  if (problem) refuse(problem.key ? `answerer.template.${problem.key}` : "answerer.template", problem.why);
  const protocol = protocols[answerer.protocol];
  const wanted = [
    ...(protocol.prompts && (template || !protocol.prompts.includes(prompt))
      ? [`answerer.prompt=${protocol.prompts[0]}`, ...(template ? ["answerer.template=null"] : [])]
      : []),
    ...(protocol.reading && answerExtraction !== protocol.reading ? [`answerExtraction=${protocol.reading}`] : []),
    ...(protocol.measures !== "text" && questionsPerRequest > 1 ? ["answerer.questionsPerRequest=1"] : []),
    ...(protocol.measures !== "text" && answerer.logprobs ? ["answerer.logprobs=false"] : []),
  ];
  if (wanted.length)
    refuse(
      "answerer.protocol",
      `${answerer.protocol} goes with ${wanted.join(", ")}: set them` +
        `${protocol.preset ? `, as the preset ${protocol.preset} has them` : " too"}` +
        (protocol.measures === "text"
          ? "; or answerer.protocol=published, which takes any prompt and any reading"
          : ""),
    );
  const format = template ? undefined : promptFormats[prompt];
  const name = template ? "a template" : `the ${prompt} prompt`;
  if (questionsPerRequest > 1 && !format?.several)
    refuse("answerer.questionsPerRequest", `${name} asks one question: set it to 1`);
  const chats = template ? template.text === null : format?.kind === "chat";
  if (answerer.chatTemplate && !chats) refuse("answerer.chatTemplate", `${name} is no chat: leave it out`);
  if (protocol.measures === "continuations" && chats)
    refuse("answerer.prompt", `${name} is a chat, behind which no continuation is measured: set answerer.prompt=mmlu`);
  if (systemMessage !== null && !(["questions", "simple-evals"] as string[]).includes(template ? "" : prompt))
    refuse(
      "answerer.systemMessage",
      template ? "a template has its own: set answerer.template.system" : `${name} is a plain text and has none`,
    );
  if (shots === 0 && (shotSource !== null || answerer.shotsFrom || answerer.shotLanguage !== "row"))
    refuse(
      "answerer.shots",
      "without examples there is no source and no language of them: set how many, or leave out answerer.shotSource, " +
        "answerer.shotsFrom and answerer.shotLanguage",
    );
}
