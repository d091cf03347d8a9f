import type { Finding } from "./finding.js";
import type { Asker } from "./replies.js";

/** Requests under way at once where a server is put under load. */
const AT_ONCE = 8;

const LONG = "Count from one to forty in words, separated by commas, and say nothing else.";
const others = (index: number): string => `Write a sentence of about twenty words about the number ${index + 3}.`;

/** Whether the same question gets the same reply at temperature 0, alone and beside others, and how many run at once. */
export async function lookAtSteadiness(asker: Asker): Promise<Finding[]> {
  const ask = (content: string) => asker.chat([{ role: "user", content }], { max_tokens: 48 });
  const alone = [];
  for (let i = 0; i < 3; i++) alone.push(await ask(LONG));
  if (alone.some((one) => one === undefined))
    return [{ about: "same reply", verdict: "unknown", said: `a chat is not answered: ${asker.words}` }];
  if (alone.every((one) => one!.text.trim() === ""))
    return [
      { about: "same reply", verdict: "unknown", said: "all replies are empty: there is nothing to hold together" },
    ];
  const began = performance.now();
  const together = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) => ask(index % 2 ? others(index) : LONG)),
  );
  const seconds = (performance.now() - began) / 1000;
  const texts = alone.map((one) => one!.text);
  const loaded = together.filter((_, index) => index % 2 === 0);
  const failed = together.filter((one) => one === undefined).length;
  const differ = loaded.filter((one) => one && one.text !== texts[0]).length;
  const sameAlone = new Set(texts).size === 1;
  // The first call may have loaded the model.
  const single = Math.min(...alone.slice(1).map((one) => one!.milliseconds)) / 1000;
  const slots = (AT_ONCE * single) / seconds;
  return [
    sameAlone
      ? {
          about: "same reply alone",
          verdict: "good",
          said: "the same question got the same reply three times at temperature 0",
        }
      : {
          about: "same reply alone",
          verdict: "bad",
          said: "the same question got different replies at temperature 0, asked one after another",
          hint: "Figures of such a server differ from run to run: ask each row several times.",
        },
    differ === 0
      ? {
          about: "same reply under load",
          verdict: failed ? "unknown" : "good",
          said: failed
            ? `${failed} of ${AT_ONCE} requests at once failed: ${asker.words}`
            : `and ${AT_ONCE} at once changed nothing`,
        }
      : {
          about: "same reply under load",
          verdict: "note",
          said: `${differ} of ${loaded.length} replies to it differed while ${AT_ONCE} requests ran at once`,
          hint: "Requests that share a batch change each other's last bits: answerer.concurrency=1 repeats exactly.",
        },
    {
      about: "parallel slots",
      verdict: "note",
      said:
        `${AT_ONCE} requests at once took ${seconds.toFixed(2)} s, one alone ${single.toFixed(2)} s: as much as ` +
        `about ${Math.max(1, Math.round(slots))} at a time`,
      hint: "answerer.concurrency beyond that only waits in the server's queue.",
    },
  ];
}
