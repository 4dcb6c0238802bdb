import type { Admission, ApiRequest, Attributes, Write } from "../interface.ts";
import { type JsonObject, objectAt, stringAt } from "../json.ts";
import type { Kind, Subresource } from "../kind.ts";
import type { GroupKind } from "../refusal.ts";
import type { Route } from "../route.ts";
import type { Collection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/stored.ts";

/** Parts of the server that writes use. */
export interface Environment {
  readonly store: Store;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly authorize: (attributes: Attributes) => boolean;
  readonly admit: Admission;
  readonly onWrite: (write: Write) => void;
  readonly signToken: (claims: JsonObject) => string;
}

/** One write request. */
export interface Writing extends Environment {
  readonly request: Pick<ApiRequest, "user" | "body">;
  readonly route: Route;
  readonly kind: Kind;
  readonly subresource: Subresource;
  readonly collection: Collection;
  readonly isDryRun: boolean;
  /** Field manager of the client. */
  readonly fieldManager: string;
  /** RFC 3339, whole seconds. */
  readonly timestamp: string;
  readonly verb: Write["verb"];
  /** Whether the CRD of the kind is being deleted, so that no objects can be created. */
  readonly isKindTerminating: boolean;
}

/** Answer to a write. */
export interface Written {
  readonly status: 200 | 201;
  /** In the version of the request. */
  readonly object: JsonObject;
}

/** Returns the resource as messages and details name it. */
export function resourceOf({ group, plural }: Kind): GroupKind {
  return { group, kind: plural };
}

/** Returns the kind as refusals of content name it: by the kind in the object. */
export function kindOf({ group, kind }: Kind, object: JsonObject): GroupKind {
  return { group, kind: stringAt(object, "kind") ?? kind };
}

export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Returns a version 4 UUID. */
export function newUid(random: () => number): string {
  const hex = (digits: number): string =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const variant = "89ab"[Math.floor(random() * 4)] ?? "8";
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(6)}${hex(6)}`;
}

const NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** Returns five characters that cannot form a word. */
export function nameSuffix(random: () => number): string {
  return Array.from({ length: 5 }, () => NAME_LETTERS[Math.floor(random() * NAME_LETTERS.length)] ?? "x").join("");
}

export function metadataOf(object: JsonObject): JsonObject {
  return objectAt(object, "metadata");
}

export function nameOf(object: JsonObject): string {
  return stringAt(metadataOf(object), "name") ?? "";
}

/** Returns the name of an object as admission reports it: the object may not have its name yet. */
export function admittedName(object: JsonObject): string {
  return nameOf(object) || (stringAt(metadataOf(object), "generateName") ?? "") || "Unknown";
}

interface Reported {
  readonly before: Stored | undefined;
  readonly uidAfter: string | undefined;
  readonly name: string;
  readonly version: number;
}

/** Reports that the write was accepted. */
export function tellWrite(writing: Writing, { before, uidAfter, name, version }: Reported): void {
  const { request, verb, kind, route, subresource, isDryRun, now } = writing;
  writing.onWrite({
    time: now(),
    user: request.user,
    verb,
    resource: kind.collection,
    subresource,
    namespace: route.namespace,
    name,
    uidBefore: before?.uid,
    uidAfter,
    resourceVersion: version,
    isDryRun,
  });
}
