/**
 * A process that queries vaults with the identities that have no client secret. Only its environment configures it. It reads one JSON line
 * with questions, answers them one after the other, and writes one line.
 */
import { text } from "node:stream/consumers";

import { createVaultClients } from "../../src/azure/vault-clients.ts";
import type { VaultAddress } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";

export interface IdentityQuestion {
  readonly address: VaultAddress;
  readonly name: string;
  readonly kind: "workloadIdentity" | "managedIdentity";
  readonly clientId?: string;
  /** Token that the API server returns for each request. Absent: the account does not exist. */
  readonly token?: string;
  readonly account?: string;
  /** Number of simultaneous calls. Default 1. */
  readonly times?: number;
}

export interface IdentityAnswer {
  /** Value of the secret. For an error, `code` is set instead. */
  readonly value?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retry?: string;
}

export interface IdentityAnswers {
  readonly answers: readonly (readonly IdentityAnswer[])[];
  /** ServiceAccounts for which a token was requested, in order. */
  readonly tokenRequests: readonly string[];
}

const tokenRequests: string[] = [];
const timeoutMs = Number(process.env["TEST_CALL_TIMEOUT_MS"] ?? "20000");
const clients = createVaultClients({ timeoutMs, signInTimeoutMs: timeoutMs });

function identityOf({ kind, clientId, token, account = "reader" }: IdentityQuestion): VaultIdentity {
  if (kind === "managedIdentity") return { kind, clientId };
  const requestToken = (): Promise<Sensitive> => {
    tokenRequests.push(account);
    if (token !== undefined) return Promise.resolve(Sensitive.ofText(token));
    return Promise.reject(
      new VaultError("IdentityUnavailable", `ServiceAccount ${account} does not exist`, { retry: { kind: "backoff" }, origin: "class" }),
    );
  };
  return { kind, clientId: clientId ?? "", account: { namespace: "shop", name: account }, requestToken };
}

async function answer(question: IdentityQuestion): Promise<IdentityAnswer> {
  try {
    const client = clients.clientFor(question.address, identityOf(question), "n");
    const { value } = await client.getSecret(question.name, undefined, new AbortController().signal);
    return { value: Buffer.from(value.reveal()).toString() };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { code: error.code, message: error.message, retry: error.retry.kind };
  }
}

if (import.meta.main) {
  // The test itself writes it.
  const questions = JSON.parse(await text(process.stdin)) as readonly IdentityQuestion[];
  const answers: (readonly IdentityAnswer[])[] = [];
  for (const question of questions) answers.push(await Promise.all(Array.from({ length: question.times ?? 1 }, () => answer(question))));
  // Exits without a wait for idle connections.
  process.stdout.write(`${JSON.stringify({ answers, tokenRequests } satisfies IdentityAnswers)}\n`, () => process.exit());
}
