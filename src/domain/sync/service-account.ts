import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { failed, ok, type Result } from "../result.ts";
import { shownNames } from "./shown-names.ts";

const MAX_SHOWN = 10;

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
      : `the pods that mount the class use several ServiceAccounts: ${shownNames(consumerAccounts, MAX_SHOWN)}`;
  return failed(`${why}; name one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class`);
}
