import { accountNameProblem, statedAccount } from "../account-name.ts";
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { failed, ok, type Result } from "../result.ts";
import { shownNames } from "./shown-names.ts";

const DEFAULT_NAME = "secrets-store-creds";

export interface CredentialsFacts {
  readonly provider: SecretProviderClass;
  /** Names that the pods that mount the class use. */
  readonly consumerNames: readonly string[];
  /** `--credentials-secret-names`. */
  readonly allowedNames: readonly string[];
}

/**
 * Returns the name of the Secret with the class's service principal: the name in the class, otherwise the one name that its pods use,
 * otherwise the default.
 */
export function credentialsSecretName({ provider, consumerNames, allowedNames }: CredentialsFacts): Result<string, string> {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.credentialsSecret];
  const only = consumerNames.length === 1 ? consumerNames[0] : undefined;
  const name = stated ?? only ?? DEFAULT_NAME;
  if (allowedNames.includes(name)) return ok(name);
  return failed(
    `the worker is not allowed to read a Secret named ${name}; name one of ${allowedNames.join(", ")} in the annotation ${CLASS_ANNOTATIONS.credentialsSecret}, or add ${name} to the setting --credentials-secret-names`,
  );
}

const MAX_SHOWN = 10;

export interface AccountFacts {
  readonly provider: SecretProviderClass;
  /** ServiceAccounts of the pods that mount the class. */
  readonly consumerAccounts: readonly string[];
}

/**
 * Returns the ServiceAccount whose token the worker exchanges: the one that the class names, if the name is valid, otherwise the one
 * account that its pods use. There is no default, because a default would be a guess.
 */
export function serviceAccountName({ provider, consumerAccounts }: AccountFacts): Result<string, string> {
  const stated = statedAccount(provider.metadata.annotations);
  const problem = stated === undefined ? undefined : accountNameProblem(stated);
  if (problem !== undefined) return failed(problem);
  if (stated !== undefined) return ok(stated);
  const [only, ...others] = consumerAccounts;
  if (only !== undefined && others.length === 0) return ok(only);
  const why =
    only === undefined
      ? "no pod mounts the class, so the worker does not know which ServiceAccount to use"
      : `the pods that mount the class use several ServiceAccounts: ${shownNames(consumerAccounts, MAX_SHOWN)}`;
  return failed(`${why}; name one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class`);
}
