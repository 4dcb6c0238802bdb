import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { isDnsLabel } from "../injection/kubernetes-names.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { quoted } from "../quoted.ts";
import { wordsOf } from "../words.ts";

/** A value is read from the API server for each write of a copy, and each copy is watched. */
export const MAX_TARGETS = 64;

/** Other namespaces that a class names for copies of its Secrets. */
export interface MirrorTargets {
  readonly namespaces: readonly string[];
  /** What of the annotation cannot be meant. While there is something, a namespace that the list lacks may be meant. */
  readonly problems: readonly string[];
}

export function mirrorTargets({ metadata }: SecretProviderClass): MirrorTargets {
  const key = CLASS_ANNOTATIONS.mirrorTo;
  const names = [...new Set(wordsOf(metadata.annotations?.[key]))];
  if (names.length === 0) return { namespaces: [], problems: [] };
  const problems = names.flatMap((name) => {
    if (!isDnsLabel(name))
      return [`annotation ${key}: ${quoted(name, 63)} is no name of a namespace; write names with commas between them`];
    return name === metadata.namespace ? [`annotation ${key}: ${name} is the class's own namespace; leave it out`] : [];
  });
  const namespaces = names.filter((name) => isDnsLabel(name) && name !== metadata.namespace);
  const excess =
    namespaces.length > MAX_TARGETS
      ? [`annotation ${key}: of ${namespaces.length} namespaces the first ${MAX_TARGETS} get copies; spread them over several classes`]
      : [];
  return { namespaces: namespaces.slice(0, MAX_TARGETS), problems: [...problems, ...excess] };
}

/** Why a worker that may not read Secrets makes no copies for the class; undefined where it is to make none. */
export function blindMirrorProblem(provider: SecretProviderClass): string | undefined {
  if (mirrorTargets(provider).namespaces.length === 0) return undefined;
  return `annotation ${CLASS_ANNOTATIONS.mirrorTo}: with --secret-access=blind there are no copies; the worker may not read what it would copy`;
}
