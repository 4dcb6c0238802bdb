import { clientEnvironment, managedIdentityEnvironment } from "../emulator.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import type { RequestRecord } from "../network/request-log.ts";
import { PERMISSIONS, type Permission } from "../vault/permissions.ts";
import { type Command, choice, json, required, table, textFlag, UsageError } from "./command.ts";

const placement = { cloud: { type: "string" }, tenant: { type: "string" } } as const;

/** Commands for vaults, identities, access and the request log. */
export const identityCommands: readonly Command[] = [
  {
    name: "vault create",
    arguments: ["NAME"],
    options: placement,
    help: "create a vault [--cloud public|us-government|china|germany|private|private-stack] [--tenant GUID]",
    run: async (call) =>
      json(
        await call.emulator.createVault({
          name: required(call, 0),
          cloud: choice(call, "cloud", CLOUD_NAMES),
          tenantId: textFlag(call, "tenant"),
        }),
      ),
  },
  {
    name: "vault api-versions",
    arguments: ["VAULT", "VERSIONS"],
    options: {},
    help: "the versions of the API that a vault knows, a list such as 7.0,7.1 with the latest last",
    run: async (call) => {
      const apiVersions = required(call, 1).split(",");
      await call.emulator.setApiVersions({ vault: required(call, 0), apiVersions });
      return `${required(call, 0)} knows ${apiVersions.join(", ")}`;
    },
  },
  {
    name: "sp create",
    arguments: [],
    options: { ...placement, "app-id": { type: "string" }, "client-secret": { type: "string" } },
    help: "create a service principal and print its client id and secret [--cloud …] [--tenant GUID] [--app-id GUID] [--client-secret TEXT]",
    run: async (call) =>
      json(
        await call.emulator.createServicePrincipal({
          cloud: choice(call, "cloud", CLOUD_NAMES),
          tenantId: textFlag(call, "tenant"),
          appId: textFlag(call, "app-id"),
          clientSecret: textFlag(call, "client-secret"),
        }),
      ),
  },
  {
    name: "grant",
    arguments: ["VAULT", "APP_ID", "PERMISSIONS"],
    options: {},
    help: "allow an identity operations; PERMISSIONS is a list such as secrets/get,keys/get,certificates/list (get, list, set alone: secrets)",
    run: async (call) => {
      const permissions = permissionsOf(required(call, 2));
      await call.emulator.grant({ vault: required(call, 0), appId: required(call, 1), permissions });
      return `granted ${permissions.join(", ")} on ${required(call, 0)}`;
    },
  },
  {
    name: "revoke",
    arguments: ["VAULT", "APP_ID", "[PERMISSIONS]"],
    options: {},
    help: "take permissions back; all of them without PERMISSIONS",
    run: async (call) => {
      const permissions = permissionsOf(call.arguments[2] ?? PERMISSIONS.join(","));
      await call.emulator.revoke({ vault: required(call, 0), appId: required(call, 1), permissions });
      return `revoked ${permissions.join(", ")} on ${required(call, 0)}`;
    },
  },
  {
    name: "requests",
    arguments: [],
    options: { json: { type: "boolean" }, after: { type: "string" } },
    help: "show the request log [--json] [--after SEQUENCE]",
    run: async (call) => {
      const after = textFlag(call, "after");
      const records = await call.emulator.requests(after === undefined ? {} : { after: Number(after) });
      return call.flags.json === true ? json(records) : table([HEADER, ...records.map(rowOf)]);
    },
  },
  {
    name: "env",
    arguments: [],
    options: {},
    help: "print the variables that point a client at the emulator, for eval",
    run: async ({ emulator }) => exportLines({ ...clientEnvironment(emulator), ...managedIdentityEnvironment(emulator) }),
  },
];

export function exportLines(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`)
    .join("\n");
}

const HEADER = ["#", "TIME", "STATUS", "METHOD", "HOST", "PATH", "API-VERSION", "IDENTITY"];

function rowOf(record: RequestRecord): readonly string[] {
  const { sequence, time, status, method, host, path, apiVersion = "", identity = "" } = record;
  return [String(sequence), time, String(status), method, host, path, apiVersion, identity];
}

function permissionsOf(text: string): Permission[] {
  return text.split(",").map((word) => {
    const permission = PERMISSIONS.find((one) => one === word.trim());
    if (permission === undefined) throw new UsageError(`PERMISSIONS: use a list of ${PERMISSIONS.join(", ")}`);
    return permission;
  });
}
