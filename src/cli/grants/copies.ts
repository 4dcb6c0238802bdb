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
  /** Classes that it does not accept. */
  readonly offered: readonly string[];
  /** Current content of its annotation. */
  readonly from: readonly string[];
}

/** Returns the copies that classes offer to existing Namespaces. The author of a class can offer copies to any name. */
export function offeredCopies(
  classes: readonly SecretProviderClass[],
  namespaces: ReadonlyMap<string, KubeObject>,
): readonly OfferedCopies[] {
  const offers = classes.flatMap((spc) => mirrorTargets(spc).namespaces.map((namespace) => ({ namespace, key: keyOf(spc) })));
  const byTarget = Map.groupBy(offers, ({ namespace }) => namespace);
  return [...byTarget.keys()].sort().flatMap((namespace) => {
    const object = namespaces.get(namespace);
    if (object === undefined) return [];
    const { from } = mirrorConsentOf(object);
    const keys = (byTarget.get(namespace) ?? []).map(({ key }) => key).sort();
    const isTaken = (key: string): boolean => takesFrom({ from }, key);
    return [{ namespace, taken: keys.filter(isTaken), offered: keys.filter((key) => !isTaken(key)), from }];
  });
}

/** Number of classes of one namespace that the text names below each Namespace that would receive their copies. */
const MOST_NAMED = 10;

/** Returns the first classes of each namespace, so that no namespace can hide the offers of another, and lines that count the others. */
function fewOf(keys: readonly string[]): { readonly named: readonly string[]; readonly others: readonly string[] } {
  const groups = [...Map.groupBy(keys, (key) => key.split("/")[0] ?? "")];
  const beyond = groups.filter(([, own]) => own.length > MOST_NAMED);
  return {
    named: groups.flatMap(([, own]) => own.slice(0, MOST_NAMED)),
    others: beyond.map(([namespace, own]) => `${own.length - MOST_NAMED} more classes of Namespace ${namespace}`),
  };
}

/** Lists the offered copies. Only the Namespace can accept one, because the author of a class needs no permission there. */
export function copyLines(copies: readonly OfferedCopies[]): readonly string[] {
  if (copies.length === 0) return [];
  const missing = copies.filter(({ namespace, offered }) => offered.length > 0 && namespace !== UNGRANTABLE);
  return [
    "",
    "Copies of Secrets that classes offer to other namespaces (= accepted, + not):",
    ...copies.flatMap(({ namespace, taken, offered }) => [`Namespace ${namespace}`, ...signed("=", taken), ...signed("+", offered)]),
    ...(missing.length === 0
      ? []
      : [
          "",
          "--apply does not accept them. Anyone who can write a class can offer its copies: a user who can write the Namespace and Secrets in it",
          "can accept the wanted ones, one at a time (after one, run this again for the next):",
        ]),
    // Each command accepts one offer, so that no one accepts the offer of a stranger together with a wanted one.
    ...missing.flatMap(({ namespace, from, offered }) =>
      fewOf(offered).named.map((key) => {
        const consent = `${GRANT_ANNOTATIONS.mirrorsFrom}=${[...from, key].join(",")}`;
        return shell`  kubectl annotate namespace ${namespace} --overwrite ${consent}`;
      }),
    ),
  ];
}

function signed(sign: "=" | "+", keys: readonly string[]): readonly string[] {
  const { named, others } = fewOf(keys);
  return [...named, ...others].map((what) => `  ${sign} ${what}`);
}
