/** Planted for the rule on outward calls: each of these functions waits for another system without a time limit. Nothing calls them. */
import { request as send } from "node:http";
import { connect as connectTcp } from "node:net";
import type { SecretClient } from "@azure/keyvault-secrets";
import { boundedCall } from "../../../src/azure/bounded-call.ts";

export async function unboundedRead(client: SecretClient): Promise<unknown> {
  return client.getSecret("name");
}

export async function unboundedList(client: SecretClient): Promise<void> {
  for await (const _ of client.listPropertiesOfSecrets());
}

export function unboundedConnection(): unknown {
  return [connectTcp(443, "vault.example.com"), send("http://vault.example.com/")];
}

/** One call has a time limit, and the other has none. */
export async function halfBounded(client: SecretClient): Promise<unknown> {
  const kept = client.getSecret("kept");
  return [await boundedCall(() => client.getDeletedSecret("name"), 1), await kept];
}
