/**
 * Grants of a Namespace to the sync worker, from annotations. Only a user who can write the Namespace can grant: neither the authors of
 * classes nor the worker can. The policy keyvault-injector-sync-tokens checks the same annotation.
 */

import { GRANT_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";
import { shell } from "../shell-words.ts";
import { wordsOf } from "../words.ts";

export interface NamespaceGrants {
  /** ServiceAccounts whose tokens the worker may exchange. */
  readonly accounts: readonly string[];
  /** Whether the worker may use the managed identity of its node for classes of the Namespace. */
  readonly managedIdentity: boolean;
}

export const NO_GRANTS: NamespaceGrants = { accounts: [], managedIdentity: false };

/** The only value that grants. */
export const ALLOWED = "allowed";

/** Its accounts can control the whole cluster, so the worker ignores grants of accounts there. */
export const UNGRANTABLE = "kube-system";

export function grantsOf({ metadata: { name, annotations = {} } }: KubeObject): NamespaceGrants {
  if (name === UNGRANTABLE) return { ...NO_GRANTS, managedIdentity: annotations[GRANT_ANNOTATIONS.managedIdentity] === ALLOWED };
  return {
    accounts: wordsOf(annotations[GRANT_ANNOTATIONS.serviceAccounts]),
    managedIdentity: annotations[GRANT_ANNOTATIONS.managedIdentity] === ALLOWED,
  };
}

/** Permissions that a Namespace can grant. */
export type Grant = { readonly namespace: string } & Partial<NamespaceGrants>;

/**
 * Returns the command that grants, for messages. It grants only these permissions, because an author of classes can request more between
 * the message and the command. `install` is the install's namespace, if it is not the default.
 */
export function grantCommand({ namespace, accounts = [], managedIdentity = false }: Grant, install?: string): string {
  const what = [...accounts.flatMap((account) => ["--account", account]), ...(managedIdentity ? ["--managed-identity"] : [])];
  const where = install === undefined ? [] : ["--install-namespace", install];
  return shell`keyvault-injector grants ${["--namespace", namespace, ...what, ...where]} --apply`;
}

/** Explains why the worker requests no token of an account; undefined if it may. */
export function accountRefusal(
  grants: NamespaceGrants,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string | undefined {
  if (namespace === UNGRANTABLE)
    return `no token for the ServiceAccount ${name}: the worker requests none in ${UNGRANTABLE}; use a ServiceAccount of another namespace`;
  if (grants.accounts.includes(name)) return undefined;
  return `no token for the ServiceAccount ${name}: Namespace ${namespace} does not grant it. A user with write access to the Namespace can add ${name} to its annotation ${GRANT_ANNOTATIONS.serviceAccounts}, or run: ${grantCommand({ namespace, accounts: [name] })}`;
}
