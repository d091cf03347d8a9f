import { UserError } from "../base/errors.js";
import type { Metadata, MetadataValue, NumberList } from "./header.js";

/** A file's metadata, each key checked when it is asked for. */
export class MetadataReader {
  constructor(
    readonly path: string,
    private readonly values: Metadata,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  get keys(): string[] {
    return [...this.values.keys()];
  }

  /** A value as JSON can hold it: lists of numbers as plain ones. */
  plain(key: string): unknown {
    const value = this.values.get(key);
    return isNumbers(value) ? Array.from(value) : value;
  }

  /** @throws {UserError} where it is missing or no number */
  number(key: string): number {
    return this.optionalNumber(key) ?? this.missing(key);
  }

  /** undefined where it is missing. @throws {UserError} where it is no finite number */
  optionalNumber(key: string): number | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isFinite(value)) return this.wrong(key, "a number", value);
    return value;
  }

  /** One number, or the same for every layer. @throws {UserError} where layers have different ones */
  sameOfAll(key: string): number | undefined {
    const value = this.values.get(key);
    if (!isNumbers(value)) return this.optionalNumber(key);
    const [first] = value;
    if (first === undefined || (value as Float64Array).some((one) => one !== first))
      throw new UserError(`${this.path}: ${key} differs from layer to layer, which is not supported`, {
        hint: "Take another model, or this one in Hugging Face's format.",
      });
    return first;
  }

  text(key: string): string {
    return this.optionalText(key) ?? this.missing(key);
  }

  optionalText(key: string): string | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === "string") return value;
    return this.wrong(key, "a text", value);
  }

  optionalFlag(key: string): boolean | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.wrong(key, "true or false", value);
  }

  texts(key: string): readonly string[] {
    const value = this.values.get(key);
    if (value === undefined) return this.missing(key);
    if (!Array.isArray(value)) return this.wrong(key, "a list of texts", value);
    return value;
  }

  /** undefined where it is missing. */
  optionalNumbers(key: string): NumberList | undefined {
    const value = this.values.get(key);
    if (value === undefined || isNumbers(value)) return value;
    return this.wrong(key, "a list of numbers", value);
  }

  private missing(key: string): never {
    throw new UserError(`${this.path} has no ${key} in its metadata`, { hint: "Is it a language model's file?" });
  }

  private wrong(key: string, what: string, value: MetadataValue): never {
    throw new UserError(`${this.path}: ${key} is ${JSON.stringify(value).slice(0, 60)}, not ${what}`, {
      hint: "Download the file again, or convert the model anew with llama.cpp.",
    });
  }
}

const isNumbers = (value: MetadataValue | undefined): value is NumberList => ArrayBuffer.isView(value);
