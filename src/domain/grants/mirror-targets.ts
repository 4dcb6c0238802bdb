import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { isDnsLabel } from "../kubernetes-names.ts";
import { quoted } from "../quoted.ts";
import { WeakCache } from "../weak-cache.ts";
import { wordsOf } from "../words.ts";

/** Maximum number of target namespaces. The worker reads a value from the API server for each write of a copy, and watches each copy. */
export const MAX_TARGETS = 64;

/** Maximum length in characters: twice the length of {@link MAX_TARGETS} names. The worker does not read a longer text. */
const MAX_LENGTH = 8_192;

/** Enough to correct a list. The next check shows the next problems. */
const MOST_PROBLEMS = 10;

/** Other namespaces into which a class asks to copy its Secrets. */
export interface MirrorTargets {
  readonly namespaces: readonly string[];
  /** Errors in the annotation. As long as there are errors, the author may mean a namespace that the list lacks. */
  readonly problems: readonly string[];
}

const known = new WeakCache<SecretProviderClass, MirrorTargets>();

export function mirrorTargets(provider: SecretProviderClass): MirrorTargets {
  return known.getOrCreate(provider, () => readTargets(provider));
}

function readTargets({ metadata }: SecretProviderClass): MirrorTargets {
  const key = CLASS_ANNOTATIONS.mirrorTo;
  const text = metadata.annotations?.[key] ?? "";
  if (text.length > MAX_LENGTH)
    return {
      namespaces: [],
      problems: [`annotation ${key}: it has more than ${MAX_LENGTH} characters; spread the namespaces over several classes`],
    };
  const names = [...new Set(wordsOf(text))];
  if (names.length === 0) return { namespaces: [], problems: [] };
  const problems = names.flatMap((name) => {
    if (!isDnsLabel(name))
      return [`annotation ${key}: ${quoted(name, 63)} is not the name of a namespace; write names separated by commas`];
    return name === metadata.namespace ? [`annotation ${key}: ${name} is the class's own namespace; remove it`] : [];
  });
  const namespaces = names.filter((name) => isDnsLabel(name) && name !== metadata.namespace);
  const excess =
    namespaces.length > MAX_TARGETS
      ? [`annotation ${key}: only the first ${MAX_TARGETS} of ${namespaces.length} namespaces get copies; spread them over several classes`]
      : [];
  const more = problems.length > MOST_PROBLEMS ? [`annotation ${key}: ${problems.length - MOST_PROBLEMS} more like these`] : [];
  return { namespaces: namespaces.slice(0, MAX_TARGETS), problems: [...problems.slice(0, MOST_PROBLEMS), ...more, ...excess] };
}

/** Explains why a worker without permission to read Secrets creates no copies for the class; undefined if the class requests none. */
export function blindMirrorProblem(provider: SecretProviderClass): string | undefined {
  if (mirrorTargets(provider).namespaces.length === 0) return undefined;
  return `annotation ${CLASS_ANNOTATIONS.mirrorTo}: with --secret-access=blind there are no copies, because the worker is not allowed to read what it would copy`;
}
