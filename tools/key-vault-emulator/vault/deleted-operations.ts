/**
 * Soft delete, the same for all kinds, as recorded in https://github.com/Azure/azure-sdk-for-js (keyvault-secrets,
 * recording_can_recover_a_deleted_secret.json; keyvault-certificates, recording_can_delete_a_certificate.json). Each operation is complete
 * when the emulator answers. In the real service, deletions and recoveries take some seconds more.
 */
import type { Exchange } from "../network/exchange.ts";
import type { WirePlace } from "./attributes-wire.ts";
import { deletedNotFound, nameTakenByCertificate, objectNotFound } from "./errors.ts";
import { found, type Operation, page, type ReadModel, refused } from "./read-operations.ts";
import type { Vault } from "./vault-store.ts";
import type { Deleted, Version } from "./versioned-collection.ts";

interface DeletableCollection<Stored> {
  softDelete(name: string): Deleted<Stored> | undefined;
  findDeleted(name: string): Deleted<Stored> | undefined;
  deleted(): readonly (Deleted<Stored> | undefined)[];
  recover(name: string): Stored | undefined;
  purge(name: string): boolean;
}

/** Deletion of one kind of object. */
export interface DeletableModel<Stored extends Version> extends ReadModel<Stored> {
  /** The collection of the object, and those of its parts with the same name. */
  readonly deletable: (vault: Vault) => readonly [DeletableCollection<Stored>, ...DeletableCollection<Version>[]];
  /** Contains no value. */
  readonly bundle: (stored: Stored, place: WirePlace) => object;
}

const DAY = 86_400;

/** `DELETE /kind/name` */
export function deleteOperation<Stored extends Version>(model: DeletableModel<Stored>, name: string): Operation {
  return {
    permission: `${model.kind}/delete`,
    run: (_, vault) =>
      found(model, { vault, name, version: undefined }, () => {
        const [own, ...parts] = model.deletable(vault);
        if (parts.length === 0 && vault.certificates.find(name) !== undefined) return refused(nameTakenByCertificate(model.kind, name));
        const deleted = own.softDelete(name);
        for (const part of parts) part.softDelete(name);
        return deleted === undefined
          ? refused(objectNotFound(model.kind, name))
          : { ok: true, body: deletedFacts(model, { deleted, vault }, model.bundle) };
      }),
  };
}

/** `/deletedkind`, `/deletedkind/name` and `/deletedkind/name/recover`, by method. */
export function deletedOperation<Stored extends Version>(model: DeletableModel<Stored>, exchange: Exchange): Operation | undefined {
  const [, name, part, ...more] = exchange.segments;
  if (more.length > 0) return undefined;
  switch (`${exchange.method} ${name === undefined ? "all" : (part ?? "one")}`) {
    case "GET all":
      return listDeleted(model);
    case "GET one":
      return getDeleted(model, name ?? "");
    case "DELETE one":
      return purge(model, name ?? "");
    case "POST recover":
      return recover(model, name ?? "");
    default:
      return undefined;
  }
}

function listDeleted<Stored extends Version>(model: DeletableModel<Stored>): Operation {
  return {
    permission: `${model.kind}/list`,
    run: (exchange, vault) => {
      const all = model.deletable(vault)[0].deleted();
      return page(
        exchange,
        all.map((deleted) => (deleted === undefined ? undefined : deletedFacts(model, { deleted, vault }, model.item))),
      );
    },
  };
}

function getDeleted<Stored extends Version>(model: DeletableModel<Stored>, name: string): Operation {
  return {
    permission: `${model.kind}/get`,
    run: (_, vault) => {
      const deleted = model.deletable(vault)[0].findDeleted(name);
      return deleted === undefined
        ? refused(deletedNotFound(model.kind, name))
        : { ok: true, body: deletedFacts(model, { deleted, vault }, model.bundle) };
    },
  };
}

function recover<Stored extends Version>(model: DeletableModel<Stored>, name: string): Operation {
  return {
    permission: `${model.kind}/recover`,
    run: (_, vault) => {
      const [own, ...parts] = model.deletable(vault);
      const recovered = own.recover(name);
      if (recovered === undefined) return refused(objectNotFound(model.kind, name));
      for (const part of parts) part.recover(name);
      return { ok: true, body: model.bundle(recovered, vault) };
    },
  };
}

function purge<Stored extends Version>(model: DeletableModel<Stored>, name: string): Operation {
  return {
    permission: `${model.kind}/purge`,
    run: (_, vault) => {
      const [own, ...parts] = model.deletable(vault);
      if (!own.purge(name)) return refused(deletedNotFound(model.kind, name));
      for (const part of parts) part.purge(name);
      return { ok: true, body: undefined };
    },
  };
}

function deletedFacts<Stored extends Version>(
  { kind }: DeletableModel<Stored>,
  { deleted, vault }: { readonly deleted: Deleted<Stored>; readonly vault: Vault },
  bodyOf: (stored: Stored, place: WirePlace) => object,
): object {
  const current = deleted.versions.at(-1);
  return {
    recoveryId: `${vault.url}deleted${kind}/${current?.name ?? ""}`,
    deletedDate: deleted.at,
    scheduledPurgeDate: deleted.at + vault.recoverableDays * DAY,
    ...(current === undefined ? {} : bodyOf(current, vault)),
  };
}
