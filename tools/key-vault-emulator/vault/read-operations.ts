import type { Exchange } from "../network/exchange.ts";
import type { WirePlace } from "./attributes-wire.ts";
import { nameInvalid, objectNotFound, pageSizeInvalid, type VaultError } from "./errors.ts";
import { pageOf } from "./page.ts";
import type { KindPermission } from "./permissions.ts";
import type { Vault } from "./vault-store.ts";
import type { Version } from "./versioned-collection.ts";

/** Without `body`, the status is 204. */
export type Outcome = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly error: VaultError };

/** An operation of the data plane, with the permission that it requires. It runs after authentication and authorization. */
export interface Operation {
  readonly permission: KindPermission;
  run(exchange: Exchange, vault: Vault): Outcome;
}

interface ReadableCollection<Stored> {
  find(name: string, version?: string): Stored | undefined;
  versions(name: string): readonly Stored[];
  current(): readonly (Stored | undefined)[];
}

/** Access to one kind of object. */
export interface ReadModel<Stored extends Version> {
  readonly kind: "secrets" | "keys" | "certificates";
  readonly collection: (vault: Vault) => ReadableCollection<Stored>;
  readonly get: (stored: Stored, vault: Vault) => Outcome;
  readonly item: (stored: Stored, place: WirePlace) => object;
  readonly versionItem: (stored: Stored, place: WirePlace) => object;
}

/** `GET /kind`, `/kind/name`, `/kind/name/version` and `/kind/name/versions`, the same for all kinds. */
export function readOperation<Stored extends Version>(model: ReadModel<Stored>, segments: readonly string[]): Operation | undefined {
  const [, name, part, ...more] = segments;
  if (more.length > 0) return undefined;
  if (name === undefined) return list(model);
  return part === "versions" ? listVersions(model, name) : get(model, { name, version: part });
}

function list<Stored extends Version>({ kind, collection, item }: ReadModel<Stored>): Operation {
  return {
    permission: `${kind}/list`,
    run: (exchange, vault) =>
      page(
        exchange,
        collection(vault)
          .current()
          .map((stored) => (stored === undefined ? undefined : item(stored, vault))),
      ),
  };
}

function listVersions<Stored extends Version>({ kind, collection, versionItem }: ReadModel<Stored>, name: string): Operation {
  return {
    permission: `${kind}/list`,
    run: (exchange, vault) => {
      // The list for an object that does not exist is empty, as recorded in https://github.com/Azure/azure-sdk-for-js (keyvault-secrets,
      // recording_can_list_secret_versions_non_existing.json, and likewise for certificates).
      const versions = collection(vault).versions(name);
      // In the order of version ids, which is not the order of creation: https://github.com/nagyesta/lowkey-vault/issues/467
      const sorted = [...versions].sort((left, right) => (left.version < right.version ? -1 : 1));
      return page(
        exchange,
        sorted.map((stored) => versionItem(stored, vault)),
      );
    },
  };
}

export interface ObjectKey {
  readonly name: string;
  readonly version: string | undefined;
}

function get<Stored extends Version>(model: ReadModel<Stored>, key: ObjectKey): Operation {
  return {
    permission: `${model.kind}/get`,
    run: (_, vault) => found(model, { vault, ...key }, (stored) => model.get(stored, vault)),
  };
}

/** Calls `then` with the object, or returns the service's error. */
export function found<Stored extends Version>(
  { kind, collection }: ReadModel<Stored>,
  { vault, name, version }: ObjectKey & { readonly vault: Vault },
  then: (stored: Stored) => Outcome,
): Outcome {
  if (!isName(name)) return refused(nameInvalid(name));
  const stored = collection(vault).find(name, version);
  return stored === undefined ? refused(objectNotFound(kind, name, version)) : then(stored);
}

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (object identifiers) */
export function isName(name: string): boolean {
  return /^[0-9a-z-]{1,127}$/i.test(name);
}

export function page(exchange: Exchange, all: readonly (object | undefined)[]): Outcome {
  const found = pageOf(all, { url: `https://${exchange.host}:443/${exchange.segments.join("/")}`, query: exchange.query });
  return found === undefined ? refused(pageSizeInvalid()) : { ok: true, body: { value: found.items, nextLink: found.nextLink } };
}

export function refused(error: VaultError): Outcome & { readonly ok: false } {
  return { ok: false, error };
}
