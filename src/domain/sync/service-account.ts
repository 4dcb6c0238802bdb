import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { failed, ok, type Result } from "../result.ts";

export interface AccountFacts {
  readonly provider: SecretProviderClass;
  /** ServiceAccounts of the pods that mount the class. */
  readonly consumerAccounts: readonly string[];
}

/** Whose token is exchanged: the class's word, else the one account that its pods use. There is no default: it would be a guess. */
export function serviceAccountName({ provider, consumerAccounts }: AccountFacts): Result<string, string> {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.serviceAccount];
  if (stated !== undefined) return ok(stated);
  const [only, ...others] = consumerAccounts;
  if (only !== undefined && others.length === 0) return ok(only);
  const why =
    only === undefined
      ? "no pod mounts the class, so that there is no ServiceAccount whose token could be exchanged"
      : `the pods that mount the class use several ServiceAccounts: ${shown(consumerAccounts)}`;
  return failed(`${why}; name one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class`);
}

/** Enough to recognise them; a condition's message has no room for hundreds. */
const MAX_SHOWN = 10;

function shown(names: readonly string[]): string {
  const rest = names.length - MAX_SHOWN;
  return `${names.slice(0, MAX_SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
