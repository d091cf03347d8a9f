import { startChatImitation } from "./server.js";

/*
 * The imitation in a process of its own: `tsx test/chat-imitation/main.ts [milliseconds]`. Says its base URL on the first line
 * of standard output, and ends when its standard input does.
 */
const imitation = await startChatImitation({ delayMilliseconds: Number(process.argv[2] ?? 0) });
process.stdout.write(`${imitation.url}\n`);
process.stdin.resume();
process.stdin.on("end", () => void imitation.stop().then(() => process.exit(0)));
