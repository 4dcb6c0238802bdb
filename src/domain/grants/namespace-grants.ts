/**
 * What a Namespace lends to the sync worker, by annotations on it. Who may write the Namespace gives it: neither who may write classes
 * nor the worker may, and the policy keyvault-injector-sync-tokens reads the same annotation.
 */

import { GRANT_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";
import { shell } from "../shell-words.ts";
import { wordsOf } from "../words.ts";

export interface NamespaceGrants {
  /** ServiceAccounts whose tokens the worker may exchange. */
  readonly accounts: readonly string[];
  /** Classes may be mirrored with the managed identity of the worker's node. */
  readonly managedIdentity: boolean;
}

export const NO_GRANTS: NamespaceGrants = { accounts: [], managedIdentity: false };

/** The one value that grants. */
export const ALLOWED = "allowed";

/** Its accounts are the whole cluster's, in effect: no grant counts there. */
export const UNGRANTABLE = "kube-system";

export function grantsOf({ metadata: { name, annotations = {} } }: KubeObject): NamespaceGrants {
  if (name === UNGRANTABLE) return { ...NO_GRANTS, managedIdentity: annotations[GRANT_ANNOTATIONS.managedIdentity] === ALLOWED };
  return {
    accounts: wordsOf(annotations[GRANT_ANNOTATIONS.serviceAccounts]),
    managedIdentity: annotations[GRANT_ANNOTATIONS.managedIdentity] === ALLOWED,
  };
}

/** One thing that a Namespace can grant. */
export type Grant = { readonly namespace: string } & ({ readonly account: string } | { readonly managedIdentity: true });

/**
 * What to run, for messages. It names the one thing that is missing: between the message and the command, anybody who may write a class can
 * ask for more. `install`: the install's namespace, where it is not the usual one.
 */
export function grantCommand(grant: Grant, install?: string): string {
  const what = "account" in grant ? ["--account", grant.account] : ["--managed-identity"];
  const where = install === undefined ? [] : ["--install-namespace", install];
  return shell`keyvault-injector grants ${["--namespace", grant.namespace, ...what, ...where]} --apply`;
}

/** Why the worker asks for no token of an account; undefined where it may. */
export function accountRefusal(
  grants: NamespaceGrants,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string | undefined {
  if (namespace === UNGRANTABLE)
    return `no token for the ServiceAccount ${name}: the worker requests none in ${UNGRANTABLE}; use a ServiceAccount of another namespace`;
  if (grants.accounts.includes(name)) return undefined;
  return `no token for the ServiceAccount ${name}: Namespace ${namespace} does not grant it. A user with write access to the Namespace can add ${name} to its annotation ${GRANT_ANNOTATIONS.serviceAccounts}, or run: ${grantCommand({ namespace, account: name })}`;
}
