import { UserError } from "../base/errors.js";
import { faultsOf } from "../base/json.js";
import { JsonLinesFile } from "../base/json-lines.js";
import { KeySet } from "./key-set.js";
import { Damage, LONGEST_LINE, type LoggedReply, loggedReplySchema, readLog } from "./logged-reply.js";

/** The raw replies of a run, appended as they land; what makes a run go on where it stopped. */
export class ReplyLog {
  private appended = 0;

  private constructor(
    readonly path: string,
    private readonly file: JsonLinesFile<LoggedReply>,
    private readonly before: ReadonlyMap<string, KeySet>,
    /**
     * Lines that were there and cannot be read: they are left where they are, and what they answered counts as not
     * asked.
     */
    readonly damage: Damage,
  ) {}

  /**
   * Opens or begins a log. Holds the keys that were there before (some 30 bytes each), nothing of what is appended.
   * @throws {UserError} where the file cannot be read or written.
   */
  static async open(path: string): Promise<ReplyLog> {
    const file = new JsonLinesFile<LoggedReply>(path, { torn: "keep" });
    const before = new Map<string, KeySet>();
    const damage = new Damage(path);
    try {
      for await (const line of readLog(path)) {
        if (!line.reply) damage.add(line);
        else {
          const { stage, key } = line.reply;
          const keys = before.get(stage) ?? new KeySet();
          before.set(stage, keys);
          keys.add(key);
        }
      }
    } catch (error) {
      file.close();
      throw error;
    }
    return new ReplyLog(path, file, before, damage);
  }

  /** Whether a reply was there when the log was opened. */
  has(stage: string, key: string): boolean {
    return this.before.get(stage)?.has(key) ?? false;
  }

  /** Replies that can be read, those from before with those appended. */
  get kept(): number {
    return [...this.before.values()].reduce((sum, keys) => sum + keys.size, this.appended);
  }

  /**
   * @throws {UserError} where a reply is none by the reader's own schema (nothing is then written), or it cannot be
   * written
   */
  append(...replies: LoggedReply[]): void {
    for (const reply of replies) {
      const checked = loggedReplySchema.safeParse(reply);
      if (!checked.success)
        throw new UserError(`the reply to ${reply.ids[0]} cannot be kept: ${faultsOf(checked.error)}`, {
          hint: "Nothing of it was written. Ask another server, or report what it sends.",
        });
      if (isLongerThanRead(reply))
        throw new UserError(
          `the reply to ${reply.ids[0]} cannot be kept: it is longer than ${LONGEST_LINE / 2 ** 20} MiB`,
          { hint: "Nothing of it was written. Set a lower limit of tokens." },
        );
    }
    this.file.append(...replies);
    this.appended += replies.length;
  }

  close(): void {
    this.file.close();
  }
}

/**
 * Whether a line would be one that its reader passes over. A character is at most six bytes of JSON: few need be
 * counted.
 */
const isLongerThanRead = (reply: LoggedReply): boolean =>
  6 * (reply.text.length + (reply.reasoning?.length ?? 0)) > LONGEST_LINE / 2 &&
  Buffer.byteLength(JSON.stringify(reply)) > LONGEST_LINE;
