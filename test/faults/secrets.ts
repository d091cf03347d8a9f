import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startChatImitation } from "../chat-imitation/server.js";
import { FINAL, PASSING } from "../chat-imitation/troubles.js";
import { mmmlu } from "../command.js";
import { counted, type FaultOptions, filesIn, type Outcome, seeded, temporaryFolder } from "./common.js";

/** Values that stand in the environment, in addresses and flags, and may be written nowhere and said nowhere. */
function planted(number: number) {
  const mark = `planted${number}x`;
  return {
    key: `sk-${mark}-key+/=`,
    password: `${mark}-pass:w%ord`,
    user: `${mark}-user`,
    hub: `hf_${mark}HubToken`,
    tracker: `${"f".repeat(28)}${mark}12345`,
    query: `${mark}-query-value`,
  };
}

/** A value as it is, and as headers, addresses, JSON and pages have it. */
const shapesOf = (value: string): string[] => [
  value,
  encodeURIComponent(value),
  JSON.stringify(value).slice(1, -1),
  value.replaceAll("&", "&amp;"),
  Buffer.from(value).toString("base64").replace(/=+$/, ""),
  Buffer.from(value).toString("hex"),
];

/** Commands with secrets everywhere, against servers that make trouble and repeat what they were sent. */
export async function secrets(options: FaultOptions): Promise<Outcome[]> {
  const runs = counted(60, options, 4);
  const random = seeded(options.seed);
  const folder = temporaryFolder("secrets");
  const faults: string[] = [];
  let bytes = 0;
  try {
    for (let number = 0; number < runs; number++) {
      const values = planted(number);
      const login = `${encodeURIComponent(values.user)}:${encodeURIComponent(values.password)}`;
      const [name, trouble] = random.of([...PASSING, ...FINAL]);
      const always = random.below(3) === 0;
      const server = await startChatImitation({
        trouble: (request) => {
          if (number % 4 === 0 && request.number > 0) return undefined;
          // What it was sent, back in its words.
          if (number % 4 === 1) return { status: 422, body: { error: JSON.stringify(request.headers) } };
          if (number % 4 === 2)
            return { status: always ? 500 : 401, body: `${String(request.headers.authorization)} ?` };
          return always || request.number < 2 ? trouble : undefined;
        },
      });
      const out = join(folder, `${number}`);
      const address = `${server.url.replace("://", `://${login}@`)}?key=${values.query}`;
      const finished = await mmmlu(
        [
          ...["run", "gemma-3-27b-baseline", "--sample", "--out", out, "--wandb", "offline"],
          ...["--set", "data.rowsPerLanguage=20", "--set", "answerer.retries=1", "--set", "answerer.timeoutSeconds=1"],
          ...(number % 2 ? ["--set", `answerer.endpoint=${JSON.stringify(address)}`] : []),
          ...(number % 3 ? ["--debug"] : []),
        ],
        {
          environment: {
            LMSTUDIO_ENDPOINT: address,
            LMSTUDIO_API_KEY: values.key,
            HF_TOKEN: values.hub,
            HF_ENDPOINT: `http://${login}@127.0.0.1:9/`,
            WANDB_API_KEY: values.tracker,
            WANDB_DIR: folder,
            WANDB_BASE_URL: `http://${login}@127.0.0.1:9`,
          },
        },
      );
      await server.stop();
      const said = Buffer.from(finished.out + finished.error);
      const files = filesIn(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
      for (const [place, content] of [["what was said", said] as const, ...files]) {
        bytes += content.length;
        for (const [kind, value] of Object.entries(values))
          for (const shape of new Set(shapesOf(value)))
            if (content.includes(shape)) faults.push(`run ${number} (${name}): the ${kind} stands in ${place}`);
      }
      if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(said.toString()))
        faults.push(`run ${number} (${name}): what was said holds control characters`);
      rmSync(out, { recursive: true, force: true });
      rmSync(join(folder, "wandb"), { recursive: true, force: true });
      options.say(`secrets: ${number + 1} of ${runs}, ${faults.length} faults`);
    }
    return [
      {
        part: "secrets",
        what: "runs with planted secrets, looked for in six shapes in all that was written and said",
        count: runs,
        faults,
        seen: `${Math.round(bytes / 1024).toLocaleString("en")} KiB searched`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
