/** Reads the versions of objects that no Secret of a class contains. The worker drops their values on arrival. */

import { objectIdOf } from "../../domain/content/object-file.ts";
import { hasHistory, unlistedVersion } from "../../domain/content/version-history.ts";
import type { ObjectReader } from "../../domain/ports/vault-client.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { VaultObject } from "../../domain/ports/vault-object.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import { keyDates } from "../../domain/sync/key-status.ts";
import type { FoundObject } from "../../domain/sync/object-status.ts";
import { listVersions, refusedObject } from "./fetch-objects.ts";
import type { Known, KnownObjects, KnownVersion } from "./known-files.ts";
import type { ObjectFailure } from "./object-refusals.ts";
import { historyVersions } from "./version-check.ts";

/** Number of objects of one class to request at a time, as in a fetch of values. */
const AT_A_TIME = 4;

/** Reads the current state of the objects from the vault. The caller passes the objects whose state is unknown or outdated. */
export async function checkNamedObjects(reader: ObjectReader, objects: readonly ClassObject[], signal: AbortSignal): Promise<KnownObjects> {
  const checked = new Map<ClassObject, Known>();
  for (let index = 0; index < objects.length; index += AT_A_TIME) {
    const batch = objects.slice(index, index + AT_A_TIME);
    const states = await Promise.all(batch.map((object) => checkObject(reader, object, signal)));
    for (const [place, object] of batch.entries()) checked.set(object, states[place]);
  }
  return checked;
}

async function checkObject(reader: ObjectReader, object: ClassObject, signal: AbortSignal): Promise<Known> {
  try {
    const versions = hasHistory(object) ? await checkHistory(reader, object, signal) : [await checkOne(reader, object, signal)];
    return { kind: "found", versions, at: 0 };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return {
      kind: "failed",
      failure: refusedObject(object, error, hasHistory(object) ? undefined : { ...object, index: undefined }),
      at: 0,
    };
  }
}

async function checkHistory(reader: ObjectReader, object: ClassObject, signal: AbortSignal): Promise<readonly KnownVersion[]> {
  const versions = historyVersions(object, await listVersions(reader, object, signal));
  // The vault gives the reason for an empty list only in answer to a request for the object itself.
  return versions.length > 0 ? versions : [await checkOne(reader, unlistedVersion(object), signal)];
}

async function checkOne(
  reader: ObjectReader,
  object: ClassObject & { readonly index?: number | undefined },
  signal: AbortSignal,
): Promise<KnownVersion> {
  const { version, created, updated, expires } = await ask(reader, object, signal);
  return { path: object.path, object: objectIdOf(object), version, ...keyDates({ updated, expires }), created, isWhole: true };
}

function ask(reader: ObjectReader, { type, name, version }: ClassObject, signal: AbortSignal): Promise<VaultObject> {
  switch (type) {
    case "secret":
      return reader.getSecret(name, version, signal);
    case "key":
      return reader.getKey(name, version, signal);
    case "cert":
      return reader.getCertificate(name, version, signal);
  }
}

/** Returns the known state of the objects of a vault, one entry for each file, in the order of the class. */
export function foundObjects(
  vault: string,
  objects: readonly ClassObject[],
  stateOf: (object: ClassObject) => Known,
): readonly FoundObject[] {
  return objects.flatMap((object): readonly FoundObject[] => {
    const state = stateOf(object);
    const asked = { object: objectIdOf(object), vault, isPinned: object.version !== undefined && object.version !== "latest" };
    if (state?.kind !== "found") return [{ ...asked, ...reasonOf(state?.failure) }];
    const created = youngestOf(state.versions);
    return state.versions.map(({ object: id = asked.object, version, updated, expires }) => ({
      ...asked,
      object: id,
      ...(version === undefined ? {} : { version }),
      ...(updated === undefined ? {} : { updated }),
      ...(expires === undefined ? {} : { expires }),
      created,
    }));
  });
}

/** Returns the latest creation time; undefined if the vault reports none. */
function youngestOf(versions: readonly KnownVersion[]): number | undefined {
  const times = versions.flatMap(({ created }) => created ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function reasonOf(failure: ObjectFailure | undefined): Pick<FoundObject, "state" | "message"> {
  return failure === undefined ? {} : { state: failure.reason, message: failure.message };
}
