import { grantMeantBy, misplacedWords, placeInsteadOfNamespace } from "../../../domain/annotation-places.ts";
import { GRANT_ANNOTATIONS, PREFIX } from "../../../domain/annotations.ts";
import { NEVER_DEFAULTS } from "../../../domain/injection/effective-annotations.ts";
import { KNOWN_ON_NAMESPACES, unknownAnnotations } from "../../../domain/injection/unknown-annotations.ts";
import type { KubeObject } from "../../../domain/kubernetes.ts";
import { INPUT_ANNOTATIONS, WORKLOAD_INPUT } from "../../../domain/misplaced-keys.ts";
import { quoted } from "../../../domain/quoted.ts";
import { nearestSpelling } from "../../../domain/spelling.ts";
import { type CheckResult, on } from "./check.ts";

const GRANTS: readonly string[] = Object.values(GRANT_ANNOTATIONS);
const GRANTS_PREFIX = `grants.${PREFIX}/`;
const READ: readonly string[] = [...INPUT_ANNOTATIONS, ...WORKLOAD_INPUT, ...GRANTS];

/**
 * Reports project keys on a Namespace that have no effect. No other part reports them: the API server does not call the webhook for
 * Namespaces, so that the webhook cannot block them.
 */
export function mistakesOn({ metadata: { name, annotations = {}, labels = {} } }: KubeObject): readonly CheckResult[] {
  const elsewhere = [...new Set([...Object.keys(annotations), ...Object.keys(labels)])].filter((key) => placeInsteadOfNamespace(key));
  const others = Object.fromEntries(Object.entries(annotations).filter(([key]) => !elsewhere.includes(key)));
  const { reported, more } = unknownAnnotations(others, KNOWN_ON_NAMESPACES);
  const grants = Object.keys(annotations)
    .filter((key) => key.startsWith(GRANTS_PREFIX) && !GRANTS.includes(key))
    .map((key) => ({ key, nearest: nearestSpelling(key, GRANTS) }));
  const asLabel = READ.filter((key) => !elsewhere.includes(key) && Object.hasOwn(labels, key) && !Object.hasOwn(annotations, key));
  return [
    ...elsewhere.map((key) => {
      const misplaced = { key, isLabel: !Object.hasOwn(annotations, key) };
      const { fault, fix } = misplacedWords(misplaced, placeInsteadOfNamespace(key) ?? "");
      return on.namespaces.warn(`Namespace ${name}: ${fault}`, fix);
    }),
    ...[...reported, ...grants].map(({ key, nearest }) =>
      on.namespaces.warn(`Namespace ${name}: its annotation ${quoted(key, 63)} has no effect`, fixFor(key, nearest)),
    ),
    ...(more === 0
      ? []
      : [on.namespaces.warn(`Namespace ${name}: ${more} more of its annotations have no effect`, "correct or remove them")]),
    ...asLabel.map((key) =>
      on.namespaces.warn(`Namespace ${name}: its label ${quoted(key, 63)} has no effect`, "write it under annotations"),
    ),
  ];
}

/** Returns the advice for a key. Suggests no key that has no effect on Namespaces either, or says where that key belongs. */
function fixFor(key: string, nearest: string | undefined): string {
  const grant = grantMeantBy(key);
  if (grant !== undefined) return `write ${grant}`;
  const place = nearest === undefined ? undefined : placeInsteadOfNamespace(nearest);
  if (place !== undefined) return `did you mean ${nearest}? That belongs ${place}`;
  return nearest === undefined || NEVER_DEFAULTS.includes(nearest) ? "correct or remove it" : `did you mean ${nearest}?`;
}
