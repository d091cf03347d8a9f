import { z } from "zod";
import { parseServerAddress, withoutCredentials } from "../../../base/addresses.js";
import { wordsOfBody } from "../../../base/error-words.js";
import { messageOf, UserError } from "../../../base/errors.js";
import { HttpClient, type HttpQuestion, type HttpReply } from "../../../base/http.js";
import { HttpFailure } from "../../../base/http-failure.js";
import { checkedAs, jsonOf, parseJson } from "../../../base/json.js";

/*
 * Ray's Jobs API over HTTP (docs.ray.io, "Ray Jobs REST API"). Not by Node's fetch: it names itself a browser
 * (`sec-fetch-mode`), and Ray answers a browser's POST and PUT with 405.
 */

const name = z.string().max(1000);

const versionSchema = z.looseObject({ version: name, ray_version: name });

const jobSchema = z.looseObject({
  status: z.enum(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]),
  message: z.string().nullish(),
  driver_exit_code: z.int().nullish(),
});
export type RayJob = z.infer<typeof jobSchema>;

const nodesSchema = z.looseObject({
  data: z.looseObject({
    result: z.looseObject({
      result: z
        .array(z.looseObject({ state: name, resources_total: z.record(name, z.number()).nullish() }))
        .max(100_000),
    }),
  }),
});

/** What a cluster has. */
export interface RayNodes {
  readonly live: number;
  readonly cpus: number;
  readonly gpus: number;
}

/** What is submitted. */
export interface RaySubmission {
  readonly entrypoint: string;
  readonly submission_id: string;
  readonly runtime_env: { readonly working_dir: string; readonly env_vars?: Readonly<Record<string, string>> };
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of a reply: a log is sent whole each time. */
const [LARGEST, LARGEST_LOG] = [16 << 20, 256 << 20];
const [PATIENCE, UPLOAD_PATIENCE] = [30_000, 600_000];

/** A Ray cluster, by the address of its dashboard. */
export class RayCluster {
  /** Without credentials. */
  readonly address: string;
  private readonly client: HttpClient;
  private readonly headers: readonly string[];

  /**
   * @param token sent with every request, written and shown nowhere
   * @throws {UsageError} where the address is none
   */
  constructor(address: string, token: string | undefined, environment: NodeJS.ProcessEnv) {
    const read = parseServerAddress(address, "--cluster");
    this.address = withoutCredentials(read.address);
    this.client = new HttpClient(environment);
    const authorization = token ? `Bearer ${token}` : read.authorization;
    this.headers = authorization ? ["authorization", authorization] : [];
  }

  /** Ray's version. @throws {UserError} where nobody answers there, it is no Ray, or who asks is not let in */
  async version(): Promise<string> {
    const reply = await this.ask("GET", "/api/version");
    const read = versionSchema.safeParse(jsonOf(reply.body.toString("utf8")));
    if (reply.status !== 200 || !read.success)
      throw new UserError(`${this.address} is no dashboard of a Ray cluster (status ${reply.status})`, {
        hint: "Give the dashboard's address with --cluster; its port is 8265 unless the cluster was started otherwise.",
      });
    return read.data.ray_version;
  }

  /** The nodes that are alive, and what they have together. */
  async nodes(): Promise<RayNodes> {
    const reply = await this.ask("GET", "/api/v0/nodes?detail=1&limit=10000");
    const live = this.read(reply, nodesSchema, "its nodes").data.result.result.filter(({ state }) => state === "ALIVE");
    const sum = (resource: string): number =>
      live.reduce((total, { resources_total }) => total + (resources_total?.[resource] ?? 0), 0);
    return { live: live.length, cpus: sum("CPU"), gpus: sum("GPU") };
  }

  /** Uploads a job's files unless they are there. @returns their address for a job's `working_dir` */
  async upload(zipName: string, zip: Buffer): Promise<string> {
    const path = `/api/packages/gcs/${zipName}`;
    if ((await this.ask("GET", path)).status !== 200) {
      const reply = await this.ask("PUT", path, zip);
      if (reply.status !== 200) throw this.refused(reply, "the bundle");
    }
    return `gcs://${zipName}`;
  }

  async submit(submission: RaySubmission): Promise<void> {
    // Without the slash at its end it is not found.
    const reply = await this.ask("POST", "/api/jobs/", JSON.stringify(submission));
    if (reply.status !== 200) throw this.refused(reply, "the job");
  }

  /** A job's state; undefined where the cluster has none of that id. */
  async job(id: string): Promise<RayJob | undefined> {
    const reply = await this.ask("GET", `/api/jobs/${id}`);
    return reply.status === 404 ? undefined : this.read(reply, jobSchema, `the job ${id}`);
  }

  /** All that a job's driver printed. */
  async log(id: string): Promise<string> {
    const reply = await this.ask("GET", `/api/jobs/${id}/logs`);
    return this.read(reply, z.looseObject({ logs: z.string() }), `the log of the job ${id}`).logs;
  }

  async stop(id: string): Promise<void> {
    const reply = await this.ask("POST", `/api/jobs/${id}/stop`);
    if (reply.status !== 200) throw this.refused(reply, `stopping the job ${id}`);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** @throws {UserError} where who asks is not let in; {@link AwayError} where there is no reply */
  private async ask(method: HttpQuestion["method"], path: string, body?: string | Buffer): Promise<HttpReply> {
    let reply: HttpReply;
    try {
      reply = await this.client.ask({
        method,
        url: this.address + path,
        headers: [
          ...this.headers,
          ...(typeof body === "string" ? ["content-type", "application/json"] : []),
          ...(body instanceof Uint8Array ? ["content-type", "application/octet-stream"] : []),
        ],
        body,
        timeoutMilliseconds: body instanceof Uint8Array ? UPLOAD_PATIENCE : PATIENCE,
        maximumBytes: path.endsWith("/logs") ? LARGEST_LOG : LARGEST,
      });
    } catch (error) {
      if (error instanceof HttpFailure) throw new AwayError(this.address, error);
      throw error;
    }
    if (reply.status === 401 || reply.status === 403)
      throw new UserError(
        reply.status === 401 && this.headers.length === 0
          ? `${this.address} lets nobody in without a token (status 401)`
          : `${this.address} refused the token (status ${reply.status})`,
        { hint: "Set RAY_AUTH_TOKEN to the cluster's token, or put it into ~/.ray/auth_token." },
      );
    return reply;
  }

  private read<T>(reply: HttpReply, schema: z.ZodType<T>, what: string): T {
    if (reply.status !== 200) throw this.refused(reply, what);
    const where = `what ${this.address} says of ${what}`;
    const hint = "Is it a Ray cluster of version 2.9 or later? Look at its dashboard.";
    return checkedAs(parseJson(reply.body.toString("utf8"), where, hint), schema, where, hint);
  }

  private refused(reply: HttpReply, what: string): UserError {
    const words = wordsOfBody(reply.body);
    return new UserError(`${this.address} refused ${what} (status ${reply.status})${words ? `: ${words}` : ""}`, {
      hint: "Look at the cluster's dashboard, and run the same command again.",
    });
  }
}

/** A cluster that did not answer: it may later. */
export class AwayError extends UserError {
  constructor(address: string, cause: HttpFailure) {
    super(`${address} does not answer: ${messageOf(cause)}`, {
      hint: "Is the cluster up, and is that its dashboard's address (--cluster)? A job that was submitted may go on.",
      cause,
    });
  }
}
