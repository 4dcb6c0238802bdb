import { decodeBase64 } from "../encodings.ts";
import { nonEmptyText } from "../json-members.ts";
import { isJsonObject, type JsonObject, parsedJson } from "../json-object.ts";
import type { ObjectType } from "../provider-class/object-rules.ts";
import { failed, ok, type Result } from "../result.ts";
import type { ObjectChange, Rejection, VaultEvent } from "./vault-event.ts";

/** Maximum length of a message in characters. A queue accepts no message of more than 64 KiB. */
const MAX_CHARACTERS = 65_536;

/** No host name or time in an event is longer. */
const MAX_TEXT = 300;

/** A vault's host is one label and the suffix of its cloud. */
const VAULT_HOST = /^[a-z0-9][-a-z0-9]{1,22}[a-z0-9](?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?){1,8}$/;

/** Matches paths of the data plane: `secrets/name` or `secrets/name/version`. */
const OBJECT_PATH = /^\/(secrets|keys|certificates)\/([-0-9A-Za-z]{1,127})(?:\/([-0-9A-Za-z]{1,127}))?\/?$/;

const OBJECT_TYPE = /^Microsoft\.KeyVault\.(Secret|Key|Certificate)(NewVersionCreated|NearExpiry|Expired)$/;
const ACCESS_TYPE = "Microsoft.KeyVault.VaultAccessPolicyChanged";

const COLLECTIONS: Readonly<Record<string, string>> = { Secret: "secrets", Key: "keys", Certificate: "certificates" };

const TYPES: Readonly<Record<string, readonly ObjectType[]>> = {
  Secret: ["secret"],
  Key: ["key"],
  Certificate: ["cert", "secret", "key"],
};

/**
 * Parses the text of a queue's message: an event of Event Grid's schema or a CloudEvent 1.0, alone or as the only item of a list. The text
 * is JSON, or base64 of JSON, which is the form that Event Grid writes. Never throws, and takes time bounded by the length of the text.
 */
export function parseMessage(text: string): Result<VaultEvent, Rejection> {
  if (text.length > MAX_CHARACTERS) return failed("malformed");
  const json = parsedJson(jsonOf(text));
  const [event, ...more] = Array.isArray(json) ? (json as readonly unknown[]) : [json];
  if (!isJsonObject(event) || more.length > 0) return failed("malformed");
  const type = nonEmptyText(event["eventType"]) ?? nonEmptyText(event["type"]);
  if (type === undefined) return failed("malformed");
  const data = isJsonObject(event["data"]) ? event["data"] : {};
  if (type === ACCESS_TYPE) return accessEvent(event, data, timeOf(event));
  const [, object = "", change = ""] = OBJECT_TYPE.exec(type) ?? [];
  if (object === "") return failed("otherType");
  return objectEvent({ object, change: change as ObjectChange, time: timeOf(event), id: member(data, "id") }); // The regular expression matches only these words.
}

function jsonOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed.startsWith("{") || trimmed.startsWith("[")) return trimmed;
  const bytes = decodeBase64(new TextEncoder().encode(trimmed));
  // Bytes that are not UTF-8 become characters that are not JSON.
  return bytes.ok ? new TextDecoder().decode(bytes.value) : "";
}

/** Returns Unix milliseconds. */
function timeOf(event: JsonObject): number {
  const text = nonEmptyText(event["eventTime"]) ?? nonEmptyText(event["time"]) ?? "";
  return text.length > MAX_TEXT ? Number.NaN : Date.parse(text);
}

/** Reads a member in any case, because the examples in the documentation spell the members of `data` in several ways. */
function member(data: JsonObject, name: string): string {
  const key = Object.keys(data).find((candidate) => candidate.toLowerCase() === name);
  const value = key === undefined ? undefined : nonEmptyText(data[key]);
  return value === undefined || value.length > MAX_TEXT * 2 ? "" : value;
}

interface ObjectFacts {
  /** As in the event's type: `Secret`. */
  readonly object: string;
  readonly change: ObjectChange;
  readonly time: number;
  /** Address of the object's version. */
  readonly id: string;
}

function objectEvent({ object, change, time, id }: ObjectFacts): Result<VaultEvent, Rejection> {
  const url = URL.canParse(id) ? new URL(id) : undefined;
  const [, collection, name = "", version] = OBJECT_PATH.exec(url?.pathname ?? "") ?? [];
  const types = TYPES[object];
  if (url === undefined || types === undefined || collection !== COLLECTIONS[object]) return failed("malformed");
  if (!isVault(url) || !Number.isFinite(time)) return failed("malformed");
  return ok({ kind: "object", vaultHost: url.hostname, change, types, name: name.toLowerCase(), version, time });
}

function isVault({ protocol, hostname, port, username, search }: URL): boolean {
  return protocol === "https:" && port === "" && username === "" && search === "" && VAULT_HOST.test(hostname);
}

/** Reads the name of the vault in `data`, or at the end of the resource id. The event contains no host. */
function accessEvent(event: JsonObject, data: JsonObject, time: number): Result<VaultEvent, Rejection> {
  const resource = nonEmptyText(event["topic"]) ?? nonEmptyText(event["source"]) ?? "";
  const name = (member(data, "vaultname") || (resource.split("/").at(-1) ?? "")).toLowerCase();
  return VAULT_NAME.test(name) && Number.isFinite(time) ? ok({ kind: "access", vaultName: name, time }) : failed("malformed");
}

const VAULT_NAME = /^[a-z0-9][-a-z0-9]{1,22}[a-z0-9]$/;
