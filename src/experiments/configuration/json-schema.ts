import { z } from "zod";
import { presets } from "../presets/index.js";
import { factsOf, key, objectOf } from "./key.js";
import { type ExperimentKind, schemas } from "./schema.js";

/** A node of a JSON schema. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A schema as JSON schema, each key with its sentence. */
export const asJsonSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    io: "input",
    // Refinements of texts have no counterpart.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const facts = factsOf(zodSchema);
      if (facts) jsonSchema.description = facts.sentence;
    },
  });

/** The JSON schema of configuration files: a part of an experiment that extends a preset, or a whole one. */
export function configurationJsonSchema(): JsonSchema {
  const kinds = Object.keys(schemas) as ExperimentKind[];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "An experiment of mmmlu-lab",
    anyOf: kinds.flatMap((kind) => [
      alternative(
        partOf(schemas[kind]),
        presets.filter((preset) => preset.kind === kind).map(({ name }) => name),
      ),
      alternative(schemas[kind]),
    ]),
  };
}

/**
 * A file's keys: those of the experiment, `$schema` for editors, and `extends`, which is required where there are
 * presets to extend.
 */
function alternative(object: z.ZodObject, parents?: readonly string[]): JsonSchema {
  const { $schema: _draft, ...schema } = asJsonSchema(object);
  const { description } = schema.properties!["extends"] as JsonSchema;
  return {
    ...schema,
    properties: {
      $schema: { type: "string", description: "This schema's address, for editors." },
      ...schema.properties,
      extends: { description, enum: [...(parents ?? [null])] },
    },
    ...(parents ? { required: ["extends"] } : {}),
  };
}

/** An object's schema with every key optional, those of the objects inside it too; arrays are given whole. */
function partOf(object: z.ZodObject): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(object.shape).map(([name, value]) => {
        const schema = value as z.ZodType;
        const inner = objectOf(schema);
        if (!inner) return [name, schema.optional()];
        const part = partOf(inner);
        const nullable = schema.safeParse(null).success ? part.nullable() : part;
        return [name, key(nullable, factsOf(schema)!.sentence).optional()];
      }),
    ),
  );
}
