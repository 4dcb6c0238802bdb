/** Parses one item of `--event-queues`: the address of a queue, and the identity with which the worker signs in to it. */
import { placeholdersIn } from "../placeholder.ts";
import type { QueueIdentity, QueueSetting } from "../ports/event-queue.ts";
import { CLOUDS } from "../provider-class/clouds.ts";
import { failed, ok, type Result } from "../result.ts";

/**
 * The scope of the service in every public cloud: https://learn.microsoft.com/azure/storage/queues/authorize-access-azure-active-directory
 */
const STORAGE_SCOPE = "https://storage.azure.com/.default";

const [PUBLIC, US_GOVERNMENT, CHINA, GERMANY] = CLOUDS;

/** Suffix of the host after the account's name. With the second suffix of the public cloud, a zone is between them. */
const SUFFIXES = [
  { suffix: ".queue.core.windows.net", cloud: PUBLIC },
  { suffix: ".queue.storage.azure.net", cloud: PUBLIC },
  { suffix: ".queue.core.usgovcloudapi.net", cloud: US_GOVERNMENT },
  { suffix: ".queue.core.chinacloudapi.cn", cloud: CHINA },
  { suffix: ".queue.core.cloudapi.de", cloud: GERMANY },
] as const;

/** https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata */
const HOST = /^[-.a-z0-9]+$/;
const QUEUE_PATH = /^\/[a-z0-9](?:-?[a-z0-9]){2,62}$/;
const NAME_RULE = "use 3 to 63 lower-case letters, digits and single dashes, with a letter or digit at both ends";
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TENANT = /^[-.0-9A-Za-z]{1,253}$/;
const NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;

const IDENTITIES = ["managed", "workload", "servicePrincipal"] as const;
const KEYS = ["identity", "clientID", "tenantID", "serviceAccount", "secret", "authorityHost", "scope"] as const;

type Key = (typeof KEYS)[number];
type Given = Partial<Record<Key, string>>;

const EXAMPLE = "https://<account>.queue.core.windows.net/<queue>;identity=managed";

/** Placeholder in the name of a queue for the number of the shard that reads it. */
export const SHARD_PLACE = "{shard}";

/** Returns the setting for one shard. */
export function queueOfShard(setting: QueueSetting, shard: number): QueueSetting {
  return { ...setting, url: setting.url.replaceAll(SHARD_PLACE, String(shard)) };
}

/** Parses a setting. The error states the fix. */
export function parseQueueSetting(text: string): Result<QueueSetting, string> {
  const unfilled = placeholdersIn(text);
  if (unfilled.length > 0) return failed(`write the value in place of ${unfilled.join(" and ")}`);
  const [address = "", ...parts] = text.split(";").map((part) => part.trim());
  // Only in the name, because the host determines the owner of the account.
  const [host, name] = [address.slice(0, address.lastIndexOf("/")), address.slice(address.lastIndexOf("/"))];
  const url = readAddress(`${host}${name.replaceAll(SHARD_PLACE, "0")}`);
  if (!url.ok) return url;
  const given = readParts(parts);
  if (!given.ok) return given;
  const cloud = readCloud(url.value, given.value);
  if (!cloud.ok) return cloud;
  const identity = readIdentity(given.value);
  return identity.ok
    ? ok({
        url: `https://${url.value.host}${name.includes(SHARD_PLACE) ? name : url.value.pathname}`,
        identity: identity.value,
        ...cloud.value,
      })
    : identity;
}

function readAddress(text: string): Result<URL, string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || !HOST.test(url.hostname)) return failed(`write the address of a queue, such as ${EXAMPLE}`);
  if (url.search !== "" || url.username !== "" || url.hash !== "")
    return failed("write the address without a signature or password: the worker signs in as the identity that you name after it");
  if (QUEUE_PATH.test(url.pathname)) return ok(url);
  const name = url.pathname.slice(1);
  return failed(
    name === "" || name.includes("/")
      ? `write the name of one queue after the host, such as ${EXAMPLE}`
      : `${JSON.stringify(name)} is not a valid queue name: ${NAME_RULE}`,
  );
}

function readParts(parts: readonly string[]): Result<Given, string> {
  const given: Given = {};
  for (const part of parts.filter((one) => one !== "")) {
    const [name = "", ...rest] = part.split("=");
    const key = KEYS.find((known) => known === name);
    if (key === undefined) return failed(`unknown part ${JSON.stringify(name)}; write any of ${KEYS.join(", ")}, as name=value`);
    if (given[key] !== undefined) return failed(`${key} is given twice`);
    given[key] = rest.join("=");
  }
  return ok(given);
}

type CloudFacts = Pick<QueueSetting, "authorityHost" | "scope" | "isCustomCloud">;

function readCloud({ hostname }: URL, { authorityHost, scope }: Given): Result<CloudFacts, string> {
  const known = SUFFIXES.find(({ suffix }) => hostname.endsWith(suffix));
  if (known !== undefined && authorityHost === undefined && scope === undefined)
    return ok({ authorityHost: known.cloud.authorityHost, scope: STORAGE_SCOPE, isCustomCloud: false });
  if (known !== undefined) return failed("omit authorityHost and scope: the host identifies the cloud");
  if (authorityHost === undefined || scope === undefined)
    return failed(`the host ${hostname} belongs to no known cloud; add authorityHost and scope, such as ${CUSTOM_EXAMPLE}`);
  const authority = URL.canParse(authorityHost) ? new URL(authorityHost) : undefined;
  const audience = URL.canParse(scope) ? new URL(scope) : undefined;
  if (authority?.protocol !== "https:" || audience?.protocol !== "https:" || !scope.endsWith("/.default"))
    return failed(`write authorityHost and scope as ${CUSTOM_EXAMPLE}`);
  return ok({ authorityHost: `https://${authority.host}/`, scope, isCustomCloud: true });
}

const CUSTOM_EXAMPLE = "authorityHost=https://login.example.com/;scope=https://storage.example.com/.default";

/** Required and optional parts of each identity. */
const PARTS: Readonly<Record<(typeof IDENTITIES)[number], { readonly needs: readonly Key[]; readonly may: readonly Key[] }>> = {
  managed: { needs: [], may: ["clientID"] },
  workload: { needs: ["clientID", "tenantID", "serviceAccount"], may: [] },
  servicePrincipal: { needs: ["tenantID", "secret"], may: [] },
};

function readIdentity(given: Given): Result<QueueIdentity, string> {
  const kind = IDENTITIES.find((known) => known === (given.identity ?? "managed"));
  if (kind === undefined) return failed(`identity: write one of ${IDENTITIES.join(", ")}`);
  const { needs, may } = PARTS[kind];
  const missing = needs.find((key) => given[key] === undefined);
  if (missing !== undefined) return failed(`identity=${kind} needs ${needs.join(", ")}; add ${missing}=…`);
  const taken: readonly Key[] = ["identity", "authorityHost", "scope", ...needs, ...may];
  const surplus = KEYS.find((key) => given[key] !== undefined && !taken.includes(key));
  if (surplus !== undefined) return failed(`identity=${kind} takes no ${surplus}; remove it, or write another identity`);
  return shapeProblem(given) ?? ok(asIdentity(kind, given));
}

function shapeProblem({ clientID, tenantID, serviceAccount, secret }: Given): { readonly ok: false; readonly error: string } | undefined {
  if (clientID !== undefined && !GUID.test(clientID)) return failed("clientID: write the client id, a GUID");
  if (tenantID !== undefined && !TENANT.test(tenantID)) return failed("tenantID: write the tenant's id, a GUID");
  if (secret !== undefined && !NAME.test(secret)) return failed("secret: write the name of a Secret");
  const parts = serviceAccount?.split("/") ?? [];
  if (parts.length > 2 || !parts.every((part) => NAME.test(part)))
    return failed("serviceAccount: write <name>, in the namespace of the install, or <namespace>/<name>");
  return undefined;
}

function asIdentity(
  kind: (typeof IDENTITIES)[number],
  { clientID, tenantID = "", serviceAccount = "", secret = "" }: Given,
): QueueIdentity {
  if (kind === "managed") return { kind, clientId: clientID };
  if (kind === "servicePrincipal") return { kind, tenantId: tenantID, secretName: secret };
  const [name = "", namespace] = serviceAccount.split("/").toReversed();
  return { kind, clientId: clientID ?? "", tenantId: tenantID, account: { namespace, name } };
}

/** Returns host and name, which logs and metrics use for the queue: `account.queue.core.windows.net/name`. */
export function queueLabel({ url }: Pick<QueueSetting, "url">): string {
  return url.replace(/^https:\/\//, "");
}
