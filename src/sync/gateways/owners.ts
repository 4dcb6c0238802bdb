import { type HeldAccount, heldAccount } from "../../domain/gateways/held-account.ts";
import { type HeldOwner, heldOwner } from "../../domain/gateways/held-owner.ts";
import { OWNER_RESOURCES, type OwnerKind, ownerKey } from "../../domain/gateways/owner-kinds.ts";
import type { NamedClasses } from "../../domain/gateways/served-classes.ts";
import { Groups } from "../../domain/groups.ts";
import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";

/** Live Gateways and Ingresses that concern the worker, and the ServiceAccounts that they may name. */
export interface Owners {
  /**
   * Whether all objects of the kind are known. False while the API server does not serve the kind: the worker then concludes nothing from
   * what it saw before.
   */
  hasSynced(kind: OwnerKind): boolean;
  readonly hasAccounts: boolean;
  get(kind: OwnerKind, ref: ObjectRef): HeldOwner | undefined;
  accountOf(ref: ObjectRef): HeldAccount | undefined;
  /** Keys of the owners in the namespace. */
  keysIn(namespace: string): readonly string[];
}

export interface OwnersOptions {
  readonly watcher: KubeWatcher;
  /** Kinds for which the operator named classes. */
  readonly kinds: readonly OwnerKind[];
  readonly served: NamedClasses;
  /** Called when the owner, or a ServiceAccount that it names, changed. */
  readonly onChange: (key: string) => void;
}

export function startOwners({ watcher, kinds, served, onChange }: OwnersOptions, signal: AbortSignal): Owners {
  const byNamespace = new Groups<HeldOwner>();
  const watchKind = (kind: OwnerKind): Reflector<HeldOwner> =>
    watcher.reflect<HeldOwner>(
      {
        resource: OWNER_RESOURCES[kind],
        project: (object) => heldOwner(kind, object, served[kind]),
        onChange: (ref, { current }) => {
          const key = ownerKey(kind, ref);
          if (current === undefined) byNamespace.delete(ref.namespace ?? "", key);
          else byNamespace.set(ref.namespace ?? "", key, current);
          onChange(key);
        },
      },
      signal,
    );
  const owners = new Map(kinds.map((kind) => [kind, watchKind(kind)]));
  const noteAccount = ({ namespace = "", name }: ObjectRef): void => {
    for (const { kind, object, entries } of byNamespace.of(namespace))
      if (entries.some(({ account }) => account === name)) onChange(ownerKey(kind, object.metadata));
  };
  const accounts = watcher.reflect<HeldAccount>(
    {
      resource: RESOURCES.serviceAccounts,
      project: ({ metadata }) => heldAccount(metadata.annotations),
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
