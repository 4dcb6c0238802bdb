/**
 * A process that queries vaults through the adapter. As in a cluster, only its environment configures it. It reads and writes one JSON line
 * per request. It writes values only to stdout, so that a test can search stderr for them.
 */
import { createInterface } from "node:readline";
import { inspect } from "node:util";

import { createVaultClients } from "../../src/azure/vault-clients.ts";
import type { VaultAddress } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";

export interface Question {
  readonly address: VaultAddress;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  readonly version?: string;
  /** Whether to abort after the request was sent, as a stopping worker would. */
  readonly isGivenUp?: boolean;
}

export type Answer =
  | {
      readonly kind: "secret";
      readonly value: string;
      readonly version: string;
      readonly contentType?: string;
      readonly keyId?: string;
      readonly updated?: number;
      readonly expires?: number;
    }
  /** All parts of the error that a logger could print. */
  | {
      readonly kind: "error";
      readonly code: string;
      readonly origin: string | undefined;
      readonly retry: unknown;
      readonly message: string;
      readonly everything: string;
    };

const timeoutMs = Number(process.env["TEST_CALL_TIMEOUT_MS"] ?? "20000");
const signInTimeoutMs = Number(process.env["TEST_SIGN_IN_TIMEOUT_MS"] ?? "20000");
const proxy = readOutboundProxy(process.env);
if (!proxy.ok) throw new Error(proxy.error);
const clients = createVaultClients({ timeoutMs, signInTimeoutMs, proxy: proxy.value });

function everythingOf(error: unknown): string {
  const parts = [String(error), JSON.stringify(error), inspect(error, { depth: 12, showHidden: true })];
  if (error instanceof Error) parts.push(error.stack ?? "", JSON.stringify(Object.getOwnPropertyDescriptors(error)));
  return parts.join("\n");
}

async function answer(question: Question): Promise<Answer> {
  const { address, clientId, clientSecret, name, version, isGivenUp = false } = question;
  const caller = new AbortController();
  // In this turn of the event loop, before an answer of another process can arrive.
  if (isGivenUp) setImmediate(() => caller.abort());
  try {
    const client = clients.clientFor(address, { kind: "servicePrincipal", clientId, clientSecret: Sensitive.ofText(clientSecret) }, "n");
    const { value, ...facts } = await client.getSecret(name, version, caller.signal);
    // The test compares bytes with those that it stored.
    const { notBefore: _, contentType, keyId, updated, expires, ...rest } = facts;
    return {
      kind: "secret",
      ...rest,
      value: Buffer.from(value.reveal()).toString("base64"),
      ...(contentType === undefined ? {} : { contentType }),
      ...(keyId === undefined ? {} : { keyId }),
      ...(updated === undefined ? {} : { updated }),
      ...(expires === undefined ? {} : { expires }),
    };
  } catch (error) {
    const isOurs = error instanceof VaultError;
    return {
      kind: "error",
      code: isOurs ? error.code : "not a VaultError",
      origin: isOurs ? error.origin : undefined,
      retry: isOurs ? error.retry : undefined,
      message: error instanceof Error ? error.message : String(error),
      everything: everythingOf(error),
    };
  }
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    // The test itself writes it.
    const questions = JSON.parse(line) as readonly Question[];
    process.stdout.write(`${JSON.stringify(await Promise.all(questions.map(answer)))}\n`);
  }
}
