import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS, POD_ANNOTATIONS, SECRET_ANNOTATIONS } from "./annotations.ts";
import type { KubeObject } from "./kubernetes.ts";
import { INPUT_ANNOTATIONS, misplacedKeys, WORKLOAD_INPUT } from "./misplaced-keys.ts";
import { quoted } from "./quoted.ts";

/** Where users write the annotations that are for no class, by key. What only we write is not among them. */
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

/** What is wrong with a key that does nothing where it stands, and what to do. `place`: "on a workload", say. */
export function misplacedWords({ key, isLabel }: MisplacedKey, place: string): { readonly fault: string; readonly fix: string } {
  return {
    fault: `its ${isLabel ? "label" : "annotation"} ${quoted(key, 63)} has no effect`,
    fix: `write it ${isLabel ? "as an annotation " : ""}${place}`,
  };
}

/**
 * Keys that only a class has an effect of, and that stand on another object: its status, or a Secret that it makes. What the class has as well
 * is no mistake of the author's.
 */
export function classKeysOn({ annotations = {}, labels = {} }: Metadata, { annotations: right = {} }: Metadata): readonly MisplacedKey[] {
  return misplacedKeys(OF_CLASSES, { wrong: { ...labels, ...annotations }, right }).map((key) => ({
    key,
    isLabel: !Object.hasOwn(annotations, key),
  }));
}

/** Where an annotation belongs that does nothing on a Namespace; undefined where it is a default for pods, or belongs nowhere. */
export function placeInsteadOfNamespace(key: string): string | undefined {
  if (key === POD_ANNOTATIONS.inject || key === SECRET_ANNOTATIONS.adoptableBy) return PLACES.get(key);
  return OF_CLASSES.includes(key) && !PLACES.has(key) ? "on the SecretProviderClass" : undefined;
}

/** "on a workload, or its Namespace": where an annotation does something that does nothing on a class; undefined where nowhere. */
export function placeOfAnnotation(key: string): string | undefined {
  return PLACES.get(key);
}

/** The key of a grant that stands on its Namespace without `grants.`, where nothing reads it. */
export function grantMeantBy(key: string): string | undefined {
  return Object.values(GRANT_ANNOTATIONS).find((grant) => grant === `grants.${key}`);
}
