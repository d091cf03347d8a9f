import { createServer, type Socket } from "node:net";

/*
 * The server of bench/evaluate.ts: what it costs is not what is measured, and both share the machine's cores, so it
 * reads no more of HTTP than the bench's requests need, and sends replies that are made beforehand.
 *
 * node evaluate-server.js MILLISECONDS [by-question]: prints its base URL, ends with its standard input. Each chat
 * completion is answered so many milliseconds after its last byte was read; `/delay` tells how long that was in the
 * mean. Letters come in turn, or by the number of the question that is asked (`Frage 12:`), whoever asks it.
 */
const milliseconds = Number(process.argv[2]);
const byQuestion = process.argv[3] === "by-question";

const json = (value: unknown): Buffer => {
  const text = JSON.stringify(value);
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\nconnection: keep-alive\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
};

const MODEL = "gemma-3-27b-it";
const MODELS = json({ object: "list", data: [{ id: MODEL, object: "model", owned_by: "organization_owner" }] });
const COMPLETIONS = ["A", "B", "C", "D"].map((content, number) =>
  json({
    id: `chatcmpl-${number}`,
    object: "chat.completion",
    created: 1_764_000_000,
    model: MODEL,
    choices: [{ index: 0, message: { role: "assistant", content }, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101 },
  }),
);

/** Which of the letters a request gets; bench/http.ts computes the same. */
function letterOf(request: string): number {
  const number = Number(/Frage (\d+):/.exec(request)?.[1]);
  return ((number * 7919) % 10_007) % 4;
}

interface Waiting {
  readonly socket: Socket;
  readonly letter: number | undefined;
  readonly came: number;
}

/*
 * All wait equally long, so they are a queue with one timer. Timers fire up to 2 ms late, the more so under load:
 * `ahead` is by how much replies are sent before their time, drawn towards what makes the mean delay the one that was
 * asked for.
 */
const waiting: Waiting[] = [];
let first = 0;
let timer: NodeJS.Timeout | undefined;
let ahead = 0;
let [sum, count] = [0, 0];

function sendDue(): void {
  const now = performance.now();
  for (; first < waiting.length; first++) {
    const { socket, came, letter } = waiting[first] as Waiting;
    const delay = now - came;
    if (delay < milliseconds - ahead) break;
    socket.write(COMPLETIONS[letter ?? count % COMPLETIONS.length] as Buffer);
    sum += delay;
    count++;
    ahead = Math.min(2, Math.max(0, ahead + 0.01 * (delay - milliseconds)));
  }
  if (first > 4096) {
    waiting.splice(0, first);
    first = 0;
  }
  setNext();
}

function setNext(): void {
  if (timer || first === waiting.length) return;
  const wake = (): void => {
    timer = undefined;
    sendDue();
  };
  timer = setTimeout(
    wake,
    Math.max(0, Math.floor((waiting[first] as Waiting).came + milliseconds - ahead - performance.now())),
  );
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (piece: string) => {
    text = text === "" ? piece : text + piece;
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    if (text.startsWith("POST /v1/chat/completions ")) {
      waiting.push({ socket, came: performance.now(), letter: byQuestion ? letterOf(text) : undefined });
      // A look now and then between two ticks of the timer spreads the replies as their requests were.
      sendDue();
    } else if (text.startsWith("GET /delay ")) {
      socket.write(json({ mean: count ? sum / count : 0 }));
      sum = count = 0;
    } else socket.write(MODELS);
    text = "";
  });
});

server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`http://127.0.0.1:${(server.address() as { port: number }).port}/v1/\n`),
);
process.stdin.resume().on("end", () => process.exit());
