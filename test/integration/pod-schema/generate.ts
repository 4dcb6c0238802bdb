import type { Random } from "../../support/fixtures/random.ts";
import { isDemanded, settleChoices } from "./choices.ts";
import { settlePod } from "./pod-rules.ts";
import { fieldPath, type PodSchema, type SchemaField } from "./schema.ts";
import { type Json, TYPE_RULES } from "./type-rules.ts";
import { scalarFor } from "./values.ts";

export interface Generation {
  readonly schema: PodSchema;
  readonly random: Random;
  /** Paths that the pod should contain if its rules allow it. */
  readonly wanted: readonly string[];
  /** Whether no pod may contain the path. */
  readonly isLeftOut: (path: string) => boolean;
}

/** Probability of an optional field that is not wanted. Low, because a pod has a thousand of them. */
const OPTIONAL = 0.12;
const SECOND_ITEM = 0.3;

/** Generates a spec that the API server accepts, from the schema and the rules that the schema does not contain. */
export function generatePodSpec(generation: Generation): Json {
  const wanted = new Set(generation.wanted.flatMap(withAncestors));
  const spec = new Walker(generation, wanted).objectOf("PodSpec", "spec");
  settlePod(spec, generation.random);
  return spec;
}

function withAncestors(path: string): readonly string[] {
  return path.split(".").map((_, index, parts) => parts.slice(0, index + 1).join("."));
}

class Walker {
  readonly #generation: Generation;
  readonly #wanted: ReadonlySet<string>;

  constructor(generation: Generation, wanted: ReadonlySet<string>) {
    this.#generation = generation;
    this.#wanted = wanted;
  }

  objectOf(type: string, path: string): Json {
    const { schema, random, isLeftOut } = this.#generation;
    const isWanted = (field: SchemaField): boolean => this.#wanted.has(fieldPath(path, field));
    const fields = (schema.types.get(type) ?? []).filter((field) => !isLeftOut(fieldPath(path, field)));
    const chosen = fields.filter((field) => isDemanded(type, field) || isWanted(field) || random.chance(OPTIONAL));
    const object: Json = {};
    for (const field of settleChoices(type, { fields, chosen, isWanted, random })) {
      object[field.name] = this.#valueOf(type, field, fieldPath(path, field));
    }
    TYPE_RULES[type]?.(object, { path, random });
    return object;
  }

  #valueOf(owner: string, field: SchemaField, path: string): unknown {
    const { random } = this.#generation;
    const one = (): unknown => (field.isObject ? this.objectOf(field.type, path) : scalarFor(owner, field, random));
    if (field.shape !== "list") return one();
    // More items in a list with wanted paths: each volume, for example, has only one of thirty sources.
    const count = this.#wanted.has(path) ? random.integer(1, 3) : random.chance(SECOND_ITEM) ? 2 : 1;
    const items = Array.from({ length: count }, one);
    return field.isObject ? items : [...new Set(items)];
  }
}
