import { type FederatedAccount, federatedAccount } from "../../domain/gateways/class-identity.ts";
import { OWNER_RESOURCES, type OwnerKind, ownerKey } from "../../domain/gateways/owner-kinds.ts";
import { type TlsOwner, tlsOwner } from "../../domain/gateways/tls-owner.ts";
import { Groups } from "../../domain/groups.ts";
import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";

/** Live Gateways and Ingresses, and the ServiceAccounts that they may name. */
export interface Owners {
  /** All of the kind are known. False while the API server does not serve it: of what was seen before nothing is concluded. */
  hasSynced(kind: OwnerKind): boolean;
  readonly hasAccounts: boolean;
  get(kind: OwnerKind, ref: ObjectRef): TlsOwner | undefined;
  accountOf(ref: ObjectRef): FederatedAccount | undefined;
  /** Keys of those in the namespace. */
  keysIn(namespace: string): readonly string[];
}

export interface OwnersOptions {
  readonly watcher: KubeWatcher;
  /** Kinds of which an operator named classes. */
  readonly kinds: readonly OwnerKind[];
  /** Something of the owner changed. */
  readonly onChange: (key: string) => void;
  /** All of the kind are known, those included that are gone. */
  readonly onListed: (kind: OwnerKind) => void;
}

export function startOwners({ watcher, kinds, onChange, onListed }: OwnersOptions, signal: AbortSignal): Owners {
  const byNamespace = new Groups<TlsOwner>();
  const watchKind = (kind: OwnerKind): Reflector<TlsOwner> =>
    watcher.reflect<TlsOwner>(
      {
        resource: OWNER_RESOURCES[kind],
        project: (object) => tlsOwner(kind, object),
        onChange: (ref, { current }) => {
          const key = ownerKey(kind, ref);
          if (current === undefined) byNamespace.delete(ref.namespace ?? "", key);
          else byNamespace.set(ref.namespace ?? "", key, current);
          onChange(key);
        },
        onListed: () => onListed(kind),
      },
      signal,
    );
  const owners = new Map(kinds.map((kind) => [kind, watchKind(kind)]));
  const noteAccount = ({ namespace = "", name }: ObjectRef): void => {
    for (const { kind, object, entries } of byNamespace.of(namespace))
      if (entries.some(({ account }) => account === name)) onChange(ownerKey(kind, object.metadata));
  };
  const accounts = watcher.reflect<FederatedAccount>(
    {
      resource: RESOURCES.serviceAccounts,
      project: ({ metadata }) => federatedAccount(metadata.annotations),
      onChange: noteAccount,
    },
    signal,
  );
  return {
    hasSynced: (kind) => owners.get(kind)?.hasSynced === true,
    get hasAccounts() {
      return accounts.hasSynced;
    },
    get: (kind, ref) => owners.get(kind)?.get(ref),
    accountOf: (ref) => accounts.get(ref),
    keysIn: (namespace) => byNamespace.of(namespace).map(({ kind, object }) => ownerKey(kind, object.metadata)),
  };
}
