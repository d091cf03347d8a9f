import { didYouMean, nearest } from "../../base/nearest.js";
import { OPTION_LETTERS } from "../../tasks/index.js";

type Kind = "word" | "letter" | "number" | "text" | "switch";

/** What a filter may name of an answer, and what it is. */
export const FIELDS = {
  outcome: { kind: "word", about: "right, wrong or unreadable" },
  predicted: { kind: "letter", about: "the letter the reply was read as; none where it is unreadable" },
  true: { kind: "letter", about: "the true letter" },
  subject: { kind: "word", about: "such as anatomy" },
  category: { kind: "word", about: "STEM, humanities, social sciences, other; of own rows their own" },
  language: { kind: "word", about: "such as DE_DE" },
  stage: { kind: "word", about: "such as baseline, final" },
  id: { kind: "word", about: "the row's, such as DE_DE/anatomy/0" },
  unreadable: { kind: "word", about: "why a reply is unreadable" },
  cut: { kind: "switch", about: "whether the reply ended at its limit of tokens: yes or no" },
  tokens: { kind: "number", about: "tokens written, as the server counted; of a request of several questions all" },
  seconds: { kind: "number", about: "time of the request with its attempts" },
  characters: { kind: "number", about: "length of the reply" },
  confidence: { kind: "number", about: "share of the predicted letter among the letters, 0 to 1 or in %" },
  reply: { kind: "text", about: "the whole reply" },
  reasoning: { kind: "text", about: "what a reasoning model thought, where it was kept" },
  question: { kind: "text", about: "the question with its options" },
} as const satisfies Record<string, { kind: Kind; about: string }>;

export type FieldName = keyof typeof FIELDS;
/** Whose value: of the list's own run, or of the one beside it. */
export type Side = "own" | "other";

type Value = string | number | boolean | undefined;

/** A comparison of a long text, which is made while a file is read: texts are not kept. */
export interface TextComparison {
  readonly side: Side;
  readonly field: "reply" | "reasoning" | "question";
  readonly holds: (text: string) => boolean;
}

/** An answer as a filter sees it; undefined is what nobody knows. */
export interface FilteredAnswer {
  value(field: FieldName, side: Side): Value;
  /** Of the comparison of this number in `texts`. */
  holds(text: number): boolean | undefined;
}

export interface Filter {
  readonly names: ReadonlySet<`${Side} ${FieldName}`>;
  readonly texts: readonly TextComparison[];
  /** Undefined where it depends on what nobody knows, as in SQL. */
  test(answer: FilteredAnswer): boolean | undefined;
}

/** What is wrong with a filter, and where in its text. */
export class FilterFault extends Error {
  constructor(
    message: string,
    readonly at: number,
    readonly length: number,
  ) {
    super(message);
  }
}

/** Characters of a filter at most. */
export const LONGEST_FILTER = 1000;

interface Token {
  readonly kind: "sign" | "word" | "quoted" | "end";
  readonly text: string;
  readonly at: number;
  readonly length: number;
}

const TOKEN = /"([^"]*)"|'([^']*)'|(<=|>=|!=|==|!~|&&|\|\||[()=<>!~])|([^\s()=<>!~&|"']+)/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    while (at < text.length && text[at]!.trim() === "") at++;
    if (at >= text.length) break;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found)
      throw /["']/.test(text[at]!)
        ? new FilterFault("this quotation mark is not closed", at, text.length - at)
        : new FilterFault(`"${text[at]}" cannot stand here`, at, 1);
    const [whole, double, single, sign, word] = found;
    const kind = sign !== undefined ? "sign" : word !== undefined ? "word" : "quoted";
    tokens.push({ kind, text: sign ?? word ?? double ?? single ?? "", at, length: whole.length });
    at += whole.length;
  }
  return [...tokens, { kind: "end", text: "", at: text.length, length: 0 }];
}

type Node = (answer: FilteredAnswer) => boolean | undefined;

const JOINED = ["and", "or", "not", "contains"];
const SIGNS: Readonly<Record<string, string>> = { "==": "=", "~": "contains", "!~": "not contains" };

/** A value as it is compared: case and the underscores of subjects make no difference. */
const plain = (value: string): string => value.trim().toLowerCase().replaceAll("_", " ");

/**
 * Reads a filter: comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `not contains`) of fields with values or
 * with fields, joined by `and`, `or`, `not` and brackets.
 * @param known the values that a field has in this list: others are refused, so that a slip is not "none found"
 * @returns undefined where the text is blank
 * @throws {FilterFault} where it cannot be read
 */
export function parseFilter(text: string, known: (field: FieldName) => readonly string[]): Filter | undefined {
  if (text.trim() === "") return undefined;
  if (text.length > LONGEST_FILTER)
    throw new FilterFault(`a filter has ${LONGEST_FILTER.toLocaleString("en")} characters at most`, LONGEST_FILTER, 1);
  const parser = new Parser(tokensOf(text), known);
  const test = parser.whole();
  return { test, names: parser.names, texts: parser.texts };
}

class Parser {
  readonly names = new Set<`${Side} ${FieldName}`>();
  readonly texts: TextComparison[] = [];
  private next = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly known: (field: FieldName) => readonly string[],
  ) {}

  whole(): Node {
    const node = this.either();
    const { kind, text } = this.token;
    if (kind !== "end")
      throw this.fault(text === ")" ? "no bracket is open here" : `and or or is missing before "${text}"`);
    return node;
  }

  private get token(): Token {
    return this.tokens[this.next]!;
  }

  /** Takes the next token where it is one of these. */
  private takes(...texts: readonly string[]): boolean {
    const { kind, text } = this.token;
    const is = (kind === "word" || kind === "sign") && texts.includes(text.toLowerCase());
    if (is) this.next++;
    return is;
  }

  private fault(message: string, { at, length } = this.token): FilterFault {
    return new FilterFault(message, at, Math.max(1, length));
  }

  private either(): Node {
    const parts = [this.both()];
    while (this.takes("or", "||")) parts.push(this.both());
    return joined(parts, true);
  }

  private both(): Node {
    const parts = [this.one()];
    while (this.takes("and", "&&")) parts.push(this.one());
    return joined(parts, false);
  }

  private one(): Node {
    if (this.takes("not", "!")) return opposite(this.one());
    if (!this.takes("(")) return this.comparison();
    const node = this.either();
    if (!this.takes(")")) throw this.fault("a closing bracket is missing here");
    return node;
  }

  private comparison(): Node {
    const token = this.token;
    if (token.kind !== "word" || JOINED.includes(token.text.toLowerCase()))
      throw this.fault(`a field is missing here: ${Object.keys(FIELDS).join(", ")}`);
    const left = this.field(token);
    if (!left) {
      const name = token.text.toLowerCase().replace(/^other\./, "");
      throw this.fault(`there is no field ${token.text}${didYouMean(name, Object.keys(FIELDS))}`);
    }
    this.next++;
    const kind: Kind = FIELDS[left.field].kind;
    const sign = this.sign(kind === "switch");
    if (sign === undefined) return this.read(left, (value) => value === true);
    const { value, field } = this.right(left.field, sign);
    if (kind === "text") return this.text(left, sign, String(value));
    if (!field) return this.read(left, (own) => compare(own, sign, value));
    const [first, second] = [this.read(left, (own) => own), this.read(field, (own) => own)];
    return (answer) => {
      const [a, b] = [first(answer), second(answer)];
      return a === undefined || b === undefined ? undefined : compare(a, sign, b);
    };
  }

  private field({ kind, text }: Token): { field: FieldName; side: Side } | undefined {
    const [, other, name] = /^(other\.)?(\w+)$/.exec(text.toLowerCase()) ?? [];
    if (kind !== "word" || name === undefined || !Object.hasOwn(FIELDS, name)) return undefined;
    return { field: name as FieldName, side: other ? "other" : "own" };
  }

  private sign(optional: boolean): string | undefined {
    const token = this.token;
    if (this.takes("not")) {
      if (this.takes("contains")) return "not contains";
      this.next--;
    }
    if (this.takes("=", "==", "!=", "<", "<=", ">", ">=", "~", "!~", "contains")) {
      const sign = token.text.toLowerCase();
      return SIGNS[sign] ?? sign;
    }
    if (optional) return undefined;
    throw this.fault("a comparison is missing here: = != < <= > >= contains");
  }

  private right(of: FieldName, sign: string): { value: Value; field?: { field: FieldName; side: Side } } {
    const kind: Kind = FIELDS[of].kind;
    const token = this.token;
    if ((token.kind !== "word" && token.kind !== "quoted") || (token.kind === "word" && JOINED.includes(token.text)))
      throw this.fault(`a value is missing here, to compare ${of} with`);
    if (/[<>]/.test(sign) && kind !== "number") throw this.fault(`${of} is no number: it is compared by = != contains`);
    if (sign.includes("contains") && (kind === "number" || kind === "switch"))
      throw this.fault(`${of} contains nothing: it is compared by =${kind === "number" ? " != < <= > >=" : ""}`);
    this.next++;
    const field = this.field(token);
    // "reply contains question" asks for the word: texts are compared with what is written here.
    if (field && kind !== "text" && FIELDS[field.field].kind === kind) return { value: undefined, field };
    return { value: this.value(of, kind, sign, token) };
  }

  private value(of: FieldName, kind: Kind, sign: string, token: Token): Value {
    const { text } = token;
    if (kind === "number") {
      const number = /^-?\d+(?:\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number(text);
      if (text === "" || Number.isNaN(number)) throw this.fault(`${of} is compared with a number, not ${text}`, token);
      if (of === "confidence" && (number < 0 || number > 1))
        throw this.fault(`confidence lies between 0 and 1: write 0.6 or 60%`, token);
      return number;
    }
    if (kind === "switch") {
      if (/^(yes|no)$/i.test(text)) return text.toLowerCase() === "yes";
      throw this.fault(`${of} is yes or no`, token);
    }
    if (sign.includes("contains") || kind === "text" || of === "id") return text;
    const values = kind === "letter" ? [...OPTION_LETTERS, "none"] : this.known(of);
    if (values.some((value) => plain(value) === plain(text))) return text;
    const near = nearest(text, values);
    const few = values.length <= 14 && !near ? `: it is ${values.join(", ")}` : "";
    throw this.fault(`no answer here has ${of} ${text}${near ? `; did you mean ${near}?` : few}`, token);
  }

  private read<T extends Value>({ field, side }: { field: FieldName; side: Side }, then: (own: Value) => T) {
    this.names.add(`${side} ${field}`);
    return (answer: FilteredAnswer): T | undefined => {
      const value = answer.value(field, side);
      return value === undefined ? undefined : then(value);
    };
  }

  private text({ field, side }: { field: FieldName; side: Side }, sign: string, value: string): Node {
    this.names.add(`${side} ${field}`);
    const needle = value.toLowerCase();
    const same = (text: string): boolean => text.trim().toLowerCase() === needle.trim();
    const has = (text: string): boolean => text.toLowerCase().includes(needle);
    const holds = /contains$/.test(sign) ? has : same;
    const at = this.texts.push({ field: field as TextComparison["field"], side, holds }) - 1;
    const node: Node = (answer) => answer.holds(at);
    return sign.startsWith("not") || sign === "!=" ? opposite(node) : node;
  }
}

function compare(a: Value, sign: string, b: Value): boolean {
  const [first, second] = [a, b].map((one) => (typeof one === "string" ? plain(one) : one)) as [never, never];
  switch (sign) {
    case "=":
      return first === second;
    case "!=":
      return first !== second;
    case "<":
      return first < second;
    case "<=":
      return first <= second;
    case ">":
      return first > second;
    case ">=":
      return first >= second;
    default:
      return plain(String(a)).includes(plain(String(b))) !== sign.startsWith("not");
  }
}

const opposite =
  (node: Node): Node =>
  (answer) => {
    const is = node(answer);
    return is === undefined ? undefined : !is;
  };

/** Of `or` one that is true decides, of `and` one that is false; else what is unknown leaves it open. */
function joined(parts: readonly Node[], decisive: boolean): Node {
  if (parts.length === 1) return parts[0]!;
  return (answer) => {
    let open = false;
    for (const part of parts) {
      const is = part(answer);
      if (is === decisive) return decisive;
      open ||= is === undefined;
    }
    return open ? undefined : !decisive;
  };
}
