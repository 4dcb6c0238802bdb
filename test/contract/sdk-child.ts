/**
 * The official SDKs in a process of their own, as a user runs them: HTTPS_PROXY and NODE_EXTRA_CA_CERTS are read at
 * start, real host names, real TLS. Takes one command a line on stdin, answers one line of JSON each on stdout.
 */
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { AuthenticationError, ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

import { type ClientSpec, type SdkAnswer, type SdkCommand, toLine } from "./sdk-protocol.ts";

const clients = new Map<string, SecretClient>();

/** One client per distinct spec, so that a test can look at a client's second request. */
function clientFor(spec: ClientSpec): SecretClient {
  const key = JSON.stringify(spec);
  const known = clients.get(key);
  if (known !== undefined) return known;
  const authority = spec.authorityHost === undefined ? {} : { authorityHost: spec.authorityHost };
  const credential = new ClientSecretCredential(spec.tenantId, spec.clientId, spec.clientSecret, {
    ...authority,
    retryOptions: { maxRetries: 0 },
  });
  const client = new SecretClient(spec.vaultUrl, credential, { retryOptions: { maxRetries: 0 } });
  clients.set(key, client);
  return client;
}

async function run({ client: spec, call }: SdkCommand): Promise<unknown> {
  const client = clientFor(spec);
  switch (call.kind) {
    case "get":
      return client.getSecret(call.name, call.version === undefined ? {} : { version: call.version });
    case "set":
      return client.setSecret(call.name, call.value, call.options ?? {});
    case "update": {
      const { notBefore, expiresOn, ...rest } = call.properties;
      const dates = {
        ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore) }),
        ...(expiresOn === undefined ? {} : { expiresOn: new Date(expiresOn) }),
      };
      return client.updateSecretProperties(call.name, call.version, { ...rest, ...dates });
    }
    case "list":
      return collect(client.listPropertiesOfSecrets());
    case "versions":
      return collect(client.listPropertiesOfSecretVersions(call.name));
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function failureOf(error: unknown): SdkAnswer {
  if (!(error instanceof Error)) return { ok: false, error: { name: "unknown", message: String(error) } };
  const details: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(error));
  return {
    ok: false,
    error: {
      name: error.name,
      message: error.message,
      statusCode: details.statusCode,
      code: details.code,
      details: details.details,
      response: error instanceof AuthenticationError ? error.errorResponse : undefined,
    },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  // Written by the suite next door.
  const command = JSON.parse(line) as SdkCommand;
  let answer: SdkAnswer;
  try {
    const value: unknown = await run(command);
    const text = typeof value === "object" && value !== null && "value" in value ? String(value.value) : "";
    answer = { ok: true, value, sha256: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    answer = failureOf(error);
  }
  process.stdout.write(toLine(answer));
}
