import type { Admission, ApiRequest, Attributes, Write } from "../interface.ts";
import { type JsonObject, objectAt, stringAt } from "../json.ts";
import type { Kind, Subresource } from "../kind.ts";
import type { GroupKind } from "../refusal.ts";
import type { Route } from "../route.ts";
import type { Collection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/stored.ts";

/** What writes have of the server around them. */
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

/** One request that writes. */
export interface Writing extends Environment {
  readonly request: Pick<ApiRequest, "user" | "body">;
  readonly route: Route;
  readonly kind: Kind;
  readonly subresource: Subresource;
  readonly collection: Collection;
  readonly isDryRun: boolean;
  /** The client's name for what it writes. */
  readonly fieldManager: string;
  /** RFC 3339, whole seconds. */
  readonly timestamp: string;
  readonly verb: Write["verb"];
  /** Whether the CRD of the kind is going away: nothing is created in it any more. */
  readonly isKindTerminating: boolean;
}

/** What a write answers with. */
export interface Written {
  readonly status: 200 | 201;
  /** In the version of the request. */
  readonly object: JsonObject;
}

/** As messages and details name the resource. */
export function resourceOf({ group, plural }: Kind): GroupKind {
  return { group, kind: plural };
}

/** As refusals of content name the kind: by what the object says of itself. */
export function kindOf({ group, kind }: Kind, object: JsonObject): GroupKind {
  return { group, kind: stringAt(object, "kind") ?? kind };
}

export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** A version 4 UUID. */
export function newUid(random: () => number): string {
  const hex = (digits: number): string =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const variant = "89ab"[Math.floor(random() * 4)] ?? "8";
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(6)}${hex(6)}`;
}

const NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** Five letters that spell nothing. */
export function nameSuffix(random: () => number): string {
  return Array.from({ length: 5 }, () => NAME_LETTERS[Math.floor(random() * NAME_LETTERS.length)] ?? "x").join("");
}

export function metadataOf(object: JsonObject): JsonObject {
  return objectAt(object, "metadata");
}

export function nameOf(object: JsonObject): string {
  return stringAt(metadataOf(object), "name") ?? "";
}

/** As admission names an object: it may not have its name yet. */
export function admittedName(object: JsonObject): string {
  return nameOf(object) || (stringAt(metadataOf(object), "generateName") ?? "") || "Unknown";
}

interface Reported {
  readonly before: Stored | undefined;
  readonly uidAfter: string | undefined;
  readonly name: string;
  readonly version: number;
}

/** Says that the write was accepted. */
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
