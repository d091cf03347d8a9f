import type { ServerResponse } from "node:http";
import type { TextEnd } from "./engine.js";
import type { ReplyFormat, Usage, WrittenToken } from "./reply.js";

/** Takes a reply in pieces. */
export interface Sink {
  /** @param offset where the piece begins in the text */
  piece(text: string, tokens: readonly WrittenToken[], offset: number): void;
  finish(rest: string, end: TextEnd, usage: Usage | undefined): void;
}

/**
 * Server-sent events. The headers go out with the first token, so that what fails before it has a status of its own.
 */
export function streamTo(response: ServerResponse, format: ReplyFormat): Sink {
  const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  const open = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      connection: "keep-alive",
    });
    const opening = format.opening();
    if (opening) send(opening);
  };
  return {
    piece(text, tokens, offset) {
      open();
      send(format.piece(text, tokens, offset));
    },
    finish(rest, end, usage) {
      open();
      if (rest) send(format.piece(rest, [], 0));
      send(format.closing(end));
      if (usage) send(format.usage(usage));
      response.end("data: [DONE]\n\n");
    },
  };
}
