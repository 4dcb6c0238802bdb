/** A process that uses a queue through the adapter. Only its environment configures it. It reads and writes one JSON line per call. */
import { createInterface } from "node:readline";
import { createEventQueues } from "../../src/azure/event-queues.ts";
import { type EventQueue, QueueError } from "../../src/domain/ports/event-queue.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { parseQueueSetting } from "../../src/domain/vault-events/queue-setting.ts";

export interface QueueQuestion {
  /** In the format of `--event-queues`. */
  readonly setting: string;
  /** For `identity=servicePrincipal`: the test provides the credentials instead of a Secret. */
  readonly principal?: { readonly appId: string; readonly clientSecret: string };
  /** For `identity=workload`: the token that the API server would return. */
  readonly accountToken?: string;
  readonly call: "receive" | "delete" | "peek";
  readonly hiddenMs?: number;
  readonly message?: { readonly id: string; readonly receipt: string };
  /** Time in milliseconds after which the caller gives up. */
  readonly abortAfterMs?: number;
}

export interface QueueAnswer {
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly retry?: string;
  readonly retryMs?: number;
}

const timeoutMs = Number(process.env["TEST_CALL_TIMEOUT_MS"] ?? "15000");
const queues = createEventQueues({ timeoutMs });
const opened = new Map<string, EventQueue>();

function queueOf({ setting: text, principal, accountToken = "" }: QueueQuestion): EventQueue {
  const known = opened.get(text);
  if (known !== undefined) return known;
  const setting = parseQueueSetting(text);
  if (!setting.ok) throw new Error(setting.error);
  const { identity } = setting.value;
  const identities: Readonly<Record<typeof identity.kind, () => VaultIdentity>> = {
    managed: () => ({ kind: "managedIdentity", clientId: identity.kind === "managed" ? identity.clientId : undefined }),
    servicePrincipal: () => ({
      kind: "servicePrincipal",
      clientId: principal?.appId ?? "",
      clientSecret: Sensitive.ofText(principal?.clientSecret ?? ""),
    }),
    workload: () => ({
      kind: "workloadIdentity",
      clientId: identity.kind === "workload" ? identity.clientId : "",
      account: { namespace: "keyvault-injector", name: "events" },
      requestToken: () => Promise.resolve(Sensitive.ofText(accountToken)),
    }),
  };
  const queue = queues.open(setting.value, identities[identity.kind]());
  opened.set(text, queue);
  return queue;
}

async function answer(question: QueueQuestion): Promise<QueueAnswer> {
  const { call, hiddenMs = 30_000, message = { id: "", receipt: "" }, abortAfterMs } = question;
  const signal = abortAfterMs === undefined ? new AbortController().signal : AbortSignal.timeout(abortAfterMs);
  try {
    const queue = queueOf(question);
    if (call === "receive") return { result: await queue.receive({ most: 32, hiddenMs }, signal) };
    if (call === "peek") return { result: await queue.peek(32, signal) };
    return { result: await queue.delete(message, signal) };
  } catch (error) {
    if (!(error instanceof QueueError)) return { code: "other", message: error instanceof Error ? error.name : "" };
    const { code, message: words, retry } = error;
    return { code, message: words, retry: retry.kind, ...(retry.kind === "after" ? { retryMs: retry.milliseconds } : {}) };
  }
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    // The test itself writes it.
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as QueueQuestion))}\n`);
  }
  process.exit();
}
