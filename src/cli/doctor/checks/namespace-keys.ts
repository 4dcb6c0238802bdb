import { GRANT_ANNOTATIONS, INSTALL_ANNOTATIONS, PREFIX } from "../../../domain/annotations.ts";
import { KNOWN_ON_NAMESPACES, unknownAnnotations } from "../../../domain/injection/unknown-annotations.ts";
import type { KubeObject } from "../../../domain/kubernetes.ts";
import { INPUT_ANNOTATIONS, WORKLOAD_INPUT } from "../../../domain/misplaced-keys.ts";
import { quoted } from "../../../domain/quoted.ts";
import { nearestSpelling } from "../../../domain/spelling.ts";
import { type CheckResult, on } from "./check.ts";

const GRANTS: readonly string[] = Object.values(GRANT_ANNOTATIONS);
const GRANTS_PREFIX = `grants.${PREFIX}/`;
const KNOWN: readonly string[] = [...KNOWN_ON_NAMESPACES, ...Object.values(INSTALL_ANNOTATIONS).map((key) => key.slice(PREFIX.length + 1))];
const READ: readonly string[] = [...INPUT_ANNOTATIONS, ...WORKLOAD_INPUT, ...GRANTS];

/** Keys of ours on a Namespace that nothing reads. Nobody else tells: the webhook is not asked about Namespaces, so that it cannot be in their way. */
export function mistakesOn({ metadata: { name, annotations = {}, labels = {} } }: KubeObject): readonly CheckResult[] {
  const unknown = unknownAnnotations(annotations, KNOWN);
  const grants = Object.keys(annotations)
    .filter((key) => key.startsWith(GRANTS_PREFIX) && !GRANTS.includes(key))
    .map((key) => ({ key, nearest: nearestSpelling(key, GRANTS) }));
  const asLabel = READ.filter((key) => Object.hasOwn(labels, key) && !Object.hasOwn(annotations, key));
  return [
    ...[...unknown, ...grants].map(({ key, nearest }) =>
      on.namespaces.warn(
        `Namespace ${name}: nothing reads its annotation ${quoted(key, 63)}`,
        nearest === undefined ? "correct or remove it" : `did you mean ${nearest}?`,
      ),
    ),
    ...asLabel.map((key) =>
      on.namespaces.warn(`Namespace ${name}: nothing reads its label ${quoted(key, 63)}`, "write it under annotations"),
    ),
  ];
}
