/**
 * A process that queries a vault with identity bindings, with its environment as the only other access to Azure. It reads and writes JSON.
 */
import { text } from "node:stream/consumers";

import { createVaultClients } from "../../src/azure/vault-clients.ts";
import type { VaultAddress } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import type { TokenProxyPlace } from "../../src/runtime/token-proxy-place.ts";

export interface BindingQuestion {
  readonly address: VaultAddress;
  readonly name: string;
  readonly clientId: string;
  readonly account: string;
  /** Token that the API server returns. */
  readonly token: string;
  /** Number of simultaneous calls. Default 1. */
  readonly times?: number;
}

export interface BindingQuestions {
  /** Absent if identity bindings are off. */
  readonly place?: TokenProxyPlace;
  /** Run one after the other. */
  readonly questions: readonly BindingQuestion[];
}

export interface BindingAnswer {
  /** Value of the secret. For an error, `code` is set instead. */
  readonly value?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retry?: string;
  readonly origin?: string;
}

async function answer(clients: ReturnType<typeof createVaultClients>, question: BindingQuestion): Promise<BindingAnswer> {
  const { address, clientId, account, token, name } = question;
  const requestToken = async (): Promise<Sensitive> => Sensitive.ofText(token);
  try {
    const identity = { kind: "identityBinding", clientId, account: { namespace: "shop", name: account }, requestToken } as const;
    const { value } = await clients.clientFor(address, identity, "shop").getSecret(name, undefined, new AbortController().signal);
    return { value: Buffer.from(value.reveal()).toString() };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { code: error.code, message: error.message, retry: error.retry.kind, origin: error.origin };
  }
}

if (import.meta.main) {
  // The test itself writes it.
  const { place, questions } = JSON.parse(await text(process.stdin)) as BindingQuestions;
  const timeoutMs = Number(process.env["TEST_CALL_TIMEOUT_MS"] ?? "20000");
  const clients = createVaultClients({ timeoutMs, signInTimeoutMs: timeoutMs, tokenProxy: place });
  const answers: BindingAnswer[] = [];
  for (const question of questions)
    answers.push(...(await Promise.all(Array.from({ length: question.times ?? 1 }, () => answer(clients, question)))));
  process.stdout.write(`${JSON.stringify(answers)}\n`, () => process.exit());
}
