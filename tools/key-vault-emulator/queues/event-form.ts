import { randomUUID } from "node:crypto";
import type { CloudName } from "../network/clouds.ts";

export const EVENT_SCHEMAS = ["eventGrid", "cloudEvents"] as const;

export type EventSchema = (typeof EVENT_SCHEMAS)[number];

export type EventObject = "Secret" | "Key" | "Certificate";

/** A new version that a vault announces. */
export interface NewVersion {
  readonly object: EventObject;
  readonly name: string;
  readonly version: string;
  /** Unix seconds. Null if the version has none. */
  readonly notBefore: number | null;
  readonly expires: number | null;
}

const COLLECTIONS: Readonly<Record<EventObject, string>> = { Secret: "secrets", Key: "keys", Certificate: "certificates" };

/**
 * https://learn.microsoft.com/azure/event-grid/event-schema-key-vault. The older schema spells the members of `data` in lower camel case.
 */
export function eventOf({ name: vaultName, url }: Pick<VaultFacts, "name" | "url">, found: NewVersion, schema: EventSchema): unknown {
  const { object, name, version, notBefore, expires } = found;
  const type = `Microsoft.KeyVault.${object}NewVersionCreated`;
  const resource = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/emulator/providers/Microsoft.KeyVault/vaults/${vaultName}`;
  const id = `${url}${COLLECTIONS[object]}/${name}/${version}`;
  const data = { Id: id, VaultName: vaultName, ObjectType: object, ObjectName: name, Version: version, NBF: notBefore, EXP: expires };
  const time = new Date().toISOString();
  if (schema === "cloudEvents") return { id: randomUUID(), source: resource, subject: name, data, type, time, specversion: "1.0" };
  const older = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key === "Id" ? key : `${key[0]?.toLowerCase()}${key.slice(1)}`, value]),
  );
  return {
    id: randomUUID(),
    topic: resource,
    subject: name,
    eventType: type,
    data: older,
    dataVersion: "1",
    metadataVersion: "1",
    eventTime: time,
  };
}

export interface VaultFacts {
  readonly name: string;
  readonly cloud: CloudName;
  readonly tenantId: string;
  /** With a trailing slash, as in the portal. */
  readonly url: string;
}
