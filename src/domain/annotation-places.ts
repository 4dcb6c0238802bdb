import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS, POD_ANNOTATIONS, SECRET_ANNOTATIONS } from "./annotations.ts";
import type { KubeObject } from "./kubernetes.ts";
import { INPUT_ANNOTATIONS, misplacedKeys, WORKLOAD_INPUT } from "./misplaced-keys.ts";
import { quoted } from "./quoted.ts";

/**
 * Places where users write the annotations that do not belong on a class, by key. Annotations that only this project writes are not
 * included.
 */
const PLACES: ReadonlyMap<string, string> = new Map([
  ...INPUT_ANNOTATIONS.map((key): [string, string] => [key, "on a workload's pod template, or its Namespace"]),
  ...WORKLOAD_INPUT.map((key): [string, string] => [key, "on a workload, or its Namespace"]),
  ...Object.values(GRANT_ANNOTATIONS).map((key): [string, string] => [key, "on the Namespace"]),
  [POD_ANNOTATIONS.inject, "on a workload's pod template"],
  [POD_ANNOTATIONS.restartWindow, "on a workload, its pod template, or its Namespace"],
  [SECRET_ANNOTATIONS.adoptableBy, "on an existing Secret"],
]);

const OF_CLASSES: readonly string[] = Object.values(CLASS_ANNOTATIONS);

type Metadata = Partial<KubeObject["metadata"]>;

export interface MisplacedKey {
  readonly key: string;
  readonly isLabel: boolean;
}

/** Describes the mistake of a key that has no effect on its object, and the fix. `place` is, for example, "on a workload". */
export function misplacedWords({ key, isLabel }: MisplacedKey, place: string): { readonly fault: string; readonly fix: string } {
  return {
    fault: `its ${isLabel ? "label" : "annotation"} ${quoted(key, 63)} has no effect`,
    fix: `write it ${isLabel ? "as an annotation " : ""}${place}`,
  };
}

/**
 * Returns keys that have an effect only on a class but are on another object: the status of the class, or a Secret that it creates. Omits
 * the keys that the class has as well, because then the author made no mistake.
 */
export function classKeysOn({ annotations = {}, labels = {} }: Metadata, { annotations: right = {} }: Metadata): readonly MisplacedKey[] {
  return misplacedKeys(OF_CLASSES, { wrong: { ...labels, ...annotations }, right }).map((key) => ({
    key,
    isLabel: !Object.hasOwn(annotations, key),
  }));
}

/** Returns the right place of an annotation that has no effect on a Namespace. Undefined for a default for pods, and for an unknown key. */
export function placeInsteadOfNamespace(key: string): string | undefined {
  if (key === POD_ANNOTATIONS.inject || key === SECRET_ANNOTATIONS.adoptableBy) return PLACES.get(key);
  return OF_CLASSES.includes(key) && !PLACES.has(key) ? "on the SecretProviderClass" : undefined;
}

/**
 * Returns the right place of an annotation that has no effect on a class, for example "on a workload, or its Namespace"; undefined if it
 * has none.
 */
export function placeOfAnnotation(key: string): string | undefined {
  return PLACES.get(key);
}

/** Returns the key of the grant that the author of a Namespace meant with a key without `grants.`, which has no effect. */
export function grantMeantBy(key: string): string | undefined {
  return Object.values(GRANT_ANNOTATIONS).find((grant) => grant === `grants.${key}`);
}
