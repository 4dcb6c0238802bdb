/** Copies that classes offer to another namespace, and which of them the Namespace accepts. */
import { GRANT_ANNOTATIONS } from "../../domain/annotations.ts";
import { mirrorConsentOf, takesFrom } from "../../domain/grants/mirror-consent.ts";
import { mirrorTargets } from "../../domain/grants/mirror-targets.ts";
import { UNGRANTABLE } from "../../domain/grants/namespace-grants.ts";
import type { KubeObject, SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { shell } from "../../domain/shell-words.ts";

export interface OfferedCopies {
  /** Namespace that would receive the copies. */
  readonly namespace: string;
  /** Classes, as `namespace/name`, that it accepts. */
  readonly taken: readonly string[];
  /** Classes that it does not accept; all of them if the Namespace does not exist. */
  readonly offered: readonly string[];
  /** Current content of its annotation. */
  readonly from: readonly string[];
}

export function offeredCopies(
  classes: readonly SecretProviderClass[],
  namespaces: ReadonlyMap<string, KubeObject>,
): readonly OfferedCopies[] {
  const offers = classes.flatMap((spc) => mirrorTargets(spc).namespaces.map((namespace) => ({ namespace, key: keyOf(spc) })));
  return [...new Set(offers.map(({ namespace }) => namespace))].sort().map((namespace) => {
    const object = namespaces.get(namespace);
    const { from } = object === undefined ? { from: [] } : mirrorConsentOf(object);
    const keys = offers.filter((offer) => offer.namespace === namespace).map(({ key }) => key);
    const isTaken = (key: string): boolean => takesFrom({ from }, key);
    return { namespace, taken: keys.filter(isTaken).sort(), offered: keys.filter((key) => !isTaken(key)).sort(), from };
  });
}

/** Lists the offered copies. Only the Namespace can accept one, because the author of a class needs no permission there. */
export function copyLines(copies: readonly OfferedCopies[]): readonly string[] {
  if (copies.length === 0) return [];
  const missing = copies.filter(({ namespace, offered }) => offered.length > 0 && namespace !== UNGRANTABLE);
  return [
    "",
    "Copies of Secrets that classes offer to other namespaces (= accepted, + not):",
    ...copies.flatMap(({ namespace, taken, offered }) => [
      `Namespace ${namespace}`,
      ...taken.map((key) => `  = ${key}`),
      ...offered.map((key) => `  + ${key}`),
    ]),
    ...(missing.length === 0
      ? []
      : [
          "",
          "--apply does not accept them. Anyone who can write a class can offer its copies: a user who can write the Namespace and Secrets in it",
          "can accept the wanted ones, one at a time (after one, run this again for the next):",
        ]),
    // Each command accepts one offer, so that no one accepts the offer of a stranger together with a wanted one.
    ...missing.flatMap(({ namespace, from, offered }) =>
      offered.map((key) => {
        const consent = `${GRANT_ANNOTATIONS.mirrorsFrom}=${[...from, key].join(",")}`;
        return shell`  kubectl annotate namespace ${namespace} --overwrite ${consent}`;
      }),
    ),
  ];
}
