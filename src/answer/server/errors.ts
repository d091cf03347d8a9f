/** An error in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly options: {
      readonly param?: string;
      readonly code?: string;
      readonly retryAfterSeconds?: number;
      /** Methods that the route has, for status 405. */
      readonly allow?: string;
    } = {},
  ) {
    super(message);
  }

  get body(): unknown {
    const type =
      this.status === 429 ? "rate_limit_error" : this.status >= 500 ? "server_error" : "invalid_request_error";
    return {
      error: { message: this.message, type, param: this.options.param ?? null, code: this.options.code ?? null },
    };
  }

  get headers(): Record<string, string> {
    const { retryAfterSeconds, allow } = this.options;
    return {
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
      ...(allow === undefined ? {} : { allow }),
    };
  }
}
