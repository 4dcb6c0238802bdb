/** Reads the file that describes a custom cloud, with the rules of go-autorest's `Environment`. */
import { isJsonObject, type JsonObject, parsedJson } from "../json-object.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Cloud } from "./clouds.ts";

/** A description needs only four lines. A much larger file is a different file. */
export const MAX_CLOUD_FILE_BYTES = 1_048_576;

/**
 * Text members of go-autorest's `azure.Environment`. This project does not use most of them, but a wrong type in one makes the file
 * invalid.
 */
const ENVIRONMENT_TEXTS: readonly string[] = [
  "name",
  "managementPortalURL",
  "publishSettingsURL",
  "serviceManagementEndpoint",
  "resourceManagerEndpoint",
  "activeDirectoryEndpoint",
  "galleryEndpoint",
  "keyVaultEndpoint",
  "managedHSMEndpoint",
  "graphEndpoint",
  "serviceBusEndpoint",
  "batchManagementEndpoint",
  "microsoftGraphEndpoint",
  "storageEndpointSuffix",
  "cosmosDBDNSSuffix",
  "mariaDBDNSSuffix",
  "mySqlDatabaseDNSSuffix",
  "postgresqlDatabaseDNSSuffix",
  "sqlDatabaseDNSSuffix",
  "trafficManagerDNSSuffix",
  "keyVaultDNSSuffix",
  "managedHSMDNSSuffix",
  "serviceBusEndpointSuffix",
  "serviceManagementVMDNSSuffix",
  "resourceManagerVMDNSSuffix",
  "containerRegistryDNSSuffix",
  "tokenAudience",
  "apiManagementHostNameSuffix",
  "synapseEndpointSuffix",
  "datalakeSuffix",
];

/** Members of go-autorest's `azure.ResourceIdentifier`. */
const IDENTIFIER_TEXTS: readonly string[] = [
  "graph",
  "keyVault",
  "datalake",
  "batch",
  "operationalInsights",
  "ossRDBMS",
  "storage",
  "synapse",
  "serviceBus",
  "sqlDatabase",
  "cosmosDB",
  "managedHSM",
  "microsoftGraph",
];

const IDENTIFIERS = "resourceIdentifiers";

/** A member of this project. go-autorest ignores members that it does not know. */
const API_VERSION = "keyVaultAPIVersion";

/** Matches API versions of Key Vault: `7.1`, `2025-07-01`, `7.6-preview.2`. */
const VERSION = /^(?:\d\.\d|\d{4}-\d{2}-\d{2})(?:-preview(?:\.\d)?)?$/;

/** Returns the kind of a JSON value as Go's messages name it. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

interface Structure {
  readonly type: string;
  /** Path of its members: empty, or with a dot at the end. */
  readonly path: string;
  readonly texts: readonly string[];
}

const ENVIRONMENT: Structure = { type: "Environment", path: "", texts: ENVIRONMENT_TEXTS };
const IDENTIFIER: Structure = { type: "ResourceIdentifier", path: `${IDENTIFIERS}.`, texts: IDENTIFIER_TEXTS };

/**
 * Reads the text members. Keys match in any case, the last one takes precedence, and null changes nothing. The error is Go's error for the
 * first wrong type.
 */
function readTexts(object: JsonObject, { type, path, texts }: Structure): Result<ReadonlyMap<string, string>, string> {
  const names = new Map(texts.map((name) => [name.toLowerCase(), name]));
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(object)) {
    if (value === null) continue;
    const name = names.get(key.toLowerCase());
    const isText = typeof value === "string";
    if (name !== undefined && !isText)
      return failed(`json: cannot unmarshal ${kindOf(value)} into Go struct field ${type}.${path}${name} of type string`);
    if (name !== undefined && isText) found.set(name, value);
    const problem = type === ENVIRONMENT.type && key.toLowerCase() === IDENTIFIERS.toLowerCase() ? identifiersProblem(value) : undefined;
    if (problem !== undefined) return failed(problem);
  }
  return ok(found);
}

function identifiersProblem(value: unknown): string | undefined {
  if (!isJsonObject(value))
    return `json: cannot unmarshal ${kindOf(value)} into Go struct field Environment.${IDENTIFIERS} of type azure.ResourceIdentifier`;
  const texts = readTexts(value, IDENTIFIER);
  return texts.ok ? undefined : texts.error;
}

const HOST = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:\d{1,5})?$/i;
const LONGEST_HOST = 253;

function isHost(text: string): boolean {
  return text.length <= LONGEST_HOST && HOST.test(text);
}

/** Returns `https://host/path/` without trailing slashes; undefined for any other text. */
function httpsAddress(text: string): string | undefined {
  const [, host = "", path = ""] = /^https:\/\/([^/]+)((?:\/[-.~\w]+)*)\/*$/i.exec(text) ?? [];
  return isHost(host) ? `https://${host.toLowerCase()}${path}` : undefined;
}

/** Reads the API version. The key matches in any case, and the last one takes precedence. Undefined if it is missing. */
function apiVersionIn(object: JsonObject): Result<string | undefined, string> {
  const given = Object.entries(object).findLast(([key, value]) => key.toLowerCase() === API_VERSION.toLowerCase() && value !== null)?.[1];
  if (given === undefined || (typeof given === "string" && VERSION.test(given))) return ok(given);
  return failed(`${API_VERSION} must be a version of Key Vault's API such as "7.1"`);
}

/** Requires every member that is needed. If one is missing, the provider continues, and fails later or queries the public cloud. */
function toCloud(texts: ReadonlyMap<string, string>, name: string, apiVersion: string | undefined): Result<Cloud, string> {
  const textOf = (key: string) => texts.get(key) ?? "";
  const vaultSuffix = textOf("keyVaultDNSSuffix").toLowerCase();
  if (!isHost(vaultSuffix)) return failed('keyVaultDNSSuffix must be the domain of vaults, such as "vault.example.com"');
  const authority = httpsAddress(textOf("activeDirectoryEndpoint"));
  if (authority === undefined) return failed('activeDirectoryEndpoint must be an address such as "https://login.example.com/"');
  const endpoint = textOf("keyVaultEndpoint");
  const resource = endpoint === "" ? `https://${vaultSuffix}` : httpsAddress(endpoint);
  if (resource === undefined) return failed('keyVaultEndpoint must be an address such as "https://vault.example.com/"');
  const version = apiVersion === undefined ? {} : { apiVersion };
  return ok({ name, vaultSuffix, authorityHost: `${authority}/`, scope: `${resource}/.default`, isCustom: true, ...version });
}

/** Parses a cloud file. The error names the member, and equals Go's error if Go has one. Never throws, and takes linear time. */
export function parseCloudFile(bytes: Uint8Array, name: string): Result<Cloud, string> {
  if (bytes.length > MAX_CLOUD_FILE_BYTES) return failed(`the file is larger than ${MAX_CLOUD_FILE_BYTES} bytes`);
  // A byte order mark is a syntax error, as in Go.
  const value = parsedJson(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  if (value === undefined) return failed("the file is not valid JSON");
  const object = value ?? {};
  if (!isJsonObject(object)) return failed(`json: cannot unmarshal ${kindOf(object)} into Go value of type azure.Environment`);
  const texts = readTexts(object, ENVIRONMENT);
  if (!texts.ok) return texts;
  const apiVersion = apiVersionIn(object);
  return apiVersion.ok ? toCloud(texts.value, name, apiVersion.value) : apiVersion;
}

/** Replaces a file that the reader of the class cannot read, so that the rest of the class can still be checked. */
export function unseenCloudFile(): Result<Uint8Array, string> {
  const description = { activeDirectoryEndpoint: "https://login.cloud.example/", keyVaultDNSSuffix: "vault.cloud.example" };
  return ok(new TextEncoder().encode(JSON.stringify(description)));
}

/** Explains why the text cannot be the name of a file in the folder; undefined if it can. */
export function cloudFileNameProblem(name: string): string | undefined {
  const isBare = !/[/\\\0]/.test(name) && name !== "." && name !== "..";
  return isBare ? undefined : "cloudEnvFileName must be the name of a file, without a folder";
}
