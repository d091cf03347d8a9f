import { z } from "zod";

/** What a key of the configuration says of itself; everything that is said of keys elsewhere is made from this. */
export interface KeyFacts {
  readonly sentence: string;
  /** Whether runs that differ in it are different runs; false where it changes no number. True unless given. */
  readonly identity?: boolean;
  /** Whether it belongs to the protocol: where it is not as published, that is a deviation. True unless given. */
  readonly protocol?: boolean;
  /**
   * What configurations meant that are older than the key: filled in where it is missing, and then no part of their
   * identity.
   */
  readonly before?: unknown;
}

const registry = z.registry<KeyFacts>();

/** A key's schema with what it says of itself. */
export function key<S extends z.ZodType>(schema: S, sentence: string, facts: Omit<KeyFacts, "sentence"> = {}): S {
  // A schema of its own: two keys may have the same one.
  const own = schema.clone() as S;
  registry.add(own, { sentence, ...facts });
  return own;
}

/** What a key says of itself; undefined for a schema that is no key's. */
export const factsOf = (schema: z.core.$ZodType): KeyFacts | undefined => registry.get(schema);

/** The object that a key's value is, null or not; undefined for a key that holds no further keys. */
export function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? objectOf(schema.unwrap() as z.ZodType)
    : undefined;
}

/** A key by its whole path, such as `training.epochs`. */
export interface ConfigurationKey {
  readonly path: string;
  readonly schema: z.ZodType;
  readonly facts: KeyFacts;
}

/** All keys of an object, those of the objects inside it too, each behind the one that holds it. */
export function keysOf(object: z.ZodObject, prefix = ""): ConfigurationKey[] {
  return Object.entries(object.shape).flatMap(([name, value]) => {
    const schema = value as z.ZodType;
    const path = `${prefix}${name}`;
    const facts = factsOf(schema);
    if (!facts) throw new Error(`the key ${path} says nothing of itself: make it with key()`);
    const inner = objectOf(schema);
    return [{ path, schema, facts }, ...(inner ? keysOf(inner, `${path}.`) : [])];
  });
}

type Plain = Record<string, unknown>;

/** A value of an object's schema with only the keys that a test lets through, those of the objects inside it too. */
export function picked(object: z.ZodObject, value: Plain, test: (facts: KeyFacts, value: unknown) => boolean): Plain {
  const kept: Plain = {};
  for (const [name, schema] of Object.entries(object.shape)) {
    const [own, facts] = [value[name], factsOf(schema as z.ZodType)];
    if (own === undefined || !facts || !test(facts, own)) continue;
    const inner = objectOf(schema as z.ZodType);
    kept[name] = inner && own !== null ? picked(inner, own as Plain, test) : own;
  }
  return kept;
}
