import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { RestError } from "@azure/keyvault-secrets";
import { Registry } from "prom-client";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { VaultGate } from "../../src/sync/vault/vault-gate.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const VAULT_URL = "https://vault-1.vault.azure.net/";
/** Time (milliseconds) after which the caller gives up a request without an answer. */
const BOUND_MS = 30_000;

type Outcome = "answered" | "held" | "silent" | "aborted";

let clock: ManualClock;
let gate: VaultGate;
/** Whether the vault leaves new requests unanswered. */
let isAway: boolean;
let asked: number;

beforeEach(() => {
  clock = new ManualClock();
  gate = new VaultGate(VAULT_URL, { clock, random: () => 0, metrics: createVaultMetrics(new Registry()) });
  isAway = false;
  asked = 0;
});

const silent = (): VaultError => new VaultError("Unreachable", `${VAULT_URL}: no answer`, { retry: { kind: "backoff" }, origin: "vault" });

interface Asking {
  readonly signal?: AbortSignal;
  readonly kind?: "secret" | "key";
}

/** Sends a request, and returns its outcome. */
async function ask({ signal = new AbortController().signal, kind = "secret" }: Asking = {}): Promise<Outcome> {
  let wasAsked = false;
  const request = async (): Promise<void> => {
    wasAsked = true;
    asked += 1;
    if (!isAway) return;
    await clock.sleep(BOUND_MS, signal);
    throw silent();
  };
  try {
    await gate.pass({ kind, operation: "get", namespace: "team" }, request, signal);
    return "answered";
  } catch {
    if (signal.aborted) return "aborted";
    return wasAsked ? "silent" : "held";
  }
}

/** Opens the breaker now, with no pending requests. */
async function open(): Promise<void> {
  const refused = (): Promise<never> => Promise.reject(silent());
  const signal = new AbortController().signal;
  for (let index = 0; index < 5; index += 1)
    await gate.pass({ kind: "secret", operation: "get", namespace: "team" }, refused, signal).catch(() => undefined);
  assert.equal(await ask(), "held", "the control: it is open");
}

describe("a vault that responds with an error and names a time", () => {
  test("SW-5: gets no request before that time, and then one", async () => {
    const busy = new VaultError("Unreachable", "busy", { retry: { kind: "after", milliseconds: 120_000 }, origin: "vault" });
    const signal = new AbortController().signal;
    const refused = gate.pass({ kind: "secret", operation: "get", namespace: "team" }, () => Promise.reject(busy), signal);
    await assert.rejects(refused, { code: "Unreachable", retry: { kind: "after", milliseconds: 120_000 } });

    await clock.advance(119_000);
    assert.equal(await ask(), "held");
    await clock.advance(1_000);
    assert.equal(await ask(), "answered");
  });
});

describe("errors with which a vault refuses requests for one object", () => {
  const CONFLICT = { code: "Conflict", innererror: { code: "ObjectIsBeingDeleted" } };

  /** The adapter's error for a response with this `error` in its body. */
  function answered(status: number, error: unknown): VaultError {
    const response = { status, request: createPipelineRequest({ url: VAULT_URL }), headers: createHttpHeaders({ "retry-after": "120" }) };
    const request: VaultRequest = {
      address: { vaultUrl: VAULT_URL, authorityHost: "https://login.microsoftonline.com/", tenantId: "the-tenant" },
      identity: { kind: "managedIdentity", clientId: undefined },
      assertion: { issuer: undefined },
      action: "get",
      object: "secret",
      name: "db",
      version: undefined,
    };
    return translateError(Object.assign(new RestError("canary", { statusCode: status, response }), { details: { error } }), request);
  }

  async function refuse(error: VaultError): Promise<unknown> {
    const call = { kind: "secret", operation: "get", namespace: "team" } as const;
    const refused = async (): Promise<never> => {
      throw error;
    };
    return gate.pass(call, refused, new AbortController().signal).catch((failure: unknown) => failure);
  }

  for (const [status, error] of [
    [409, CONFLICT],
    [410, { code: "Gone" }],
  ] as const)
    test(`BR: do not keep others from the vault: ${status}`, async () => {
      for (let index = 0; index < 10; index += 1) {
        const failure = await refuse(answered(status, error));
        assert.ok(failure instanceof VaultError, String(failure));
        assert.match(failure.message, /^get secret db from /);
      }
      assert.equal(await ask(), "answered");
    });

  test("BR: close an open breaker, because the vault responds", async () => {
    await open();
    await clock.advance(5_000);
    await refuse(answered(409, CONFLICT));
    assert.equal(await ask(), "answered");
  });

  for (const [what, error] of [
    ["a response that is not the vault's", answered(409, undefined)],
    ["an error of the vault itself", answered(503, { code: "ServiceUnavailable" })],
    ["a request that the vault gives up", answered(408, { code: "RequestTimeout" })],
  ] as const)
    test(`BR: are told from ${what}: the control`, async () => {
      await refuse(error);
      assert.equal(await ask(), "held");
    });
});

describe("requests that were under way when a vault's breaker opened", () => {
  /**
   * Sends five requests, and ten a second after eight seconds, until the first five have opened the breaker and the vault answers
   * again. Returns the later requests.
   */
  async function openedByTheFirst(): Promise<readonly Promise<Outcome>[]> {
    isAway = true;
    const first = Array.from({ length: 5 }, () => ask());
    const later: Promise<Outcome>[] = [];
    for (let second = 1; second < BOUND_MS / 1_000; second += 1) {
      await clock.advance(1_000);
      if (second >= 8) later.push(...Array.from({ length: 10 }, () => ask()));
    }
    await clock.advance(1_000);
    assert.deepEqual(new Set(await Promise.all(first)), new Set(["silent"]));
    isAway = false;
    return later;
  }

  test("C-3: do not open it again when they end after its pause", async () => {
    const later = await openedByTheFirst();
    assert.equal(await ask(), "held", "the control: it is open");

    await clock.advance(9_000);
    assert.equal(await ask(), "answered");
    await clock.advance(BOUND_MS);
    assert.deepEqual(new Set(await Promise.all(later)), new Set(["silent"]), "the control");
  });

  test("C-3: do not open it again when they end after the vault has answered", async () => {
    const later = await openedByTheFirst();
    await clock.advance(5_000);
    assert.equal(await ask(), "answered");

    const answers: Outcome[] = [];
    for (let second = 0; second < BOUND_MS / 1_000; second += 1) {
      await clock.advance(1_000);
      answers.push(await ask());
    }

    assert.deepEqual(new Set(answers), new Set(["answered"]));
    assert.deepEqual(new Set(await Promise.all(later)), new Set(["silent"]), "the control");
  });

  test("open it where the vault is silent to requests that came after its last answer", async () => {
    assert.equal(await ask(), "answered");
    isAway = true;
    const many = Array.from({ length: 5 }, () => ask());
    await clock.advance(BOUND_MS);
    await Promise.all(many);

    assert.equal(await ask(), "held");
  });
});

describe("the one request that tries a vault whose breaker is open", () => {
  test("C-4: is left to the next where it was the end of a list, which asks for nothing", async () => {
    await open();
    await clock.advance(6_000);

    const signal = new AbortController().signal;
    const isRequest = ({ done }: { readonly done: boolean }): boolean => !done;
    await gate.pass({ kind: "secret", operation: "list", namespace: "team" }, async () => ({ done: true }), signal, isRequest);

    assert.equal(await ask(), "answered");
  });

  test("C-4: remains the only one when another, from before, is given up or turns out to be none", async () => {
    const stop = new AbortController();
    const signal = new AbortController().signal;
    isAway = true;
    const before = ask({ signal: stop.signal });
    let endList: (page: { readonly done: boolean }) => void = () => undefined;
    const list = gate.pass(
      { kind: "secret", operation: "list", namespace: "team" },
      () => new Promise<{ readonly done: boolean }>((resolve) => (endList = resolve)),
      signal,
      ({ done }) => !done,
    );
    await clock.advance(0);
    await open();
    await clock.advance(6_000);
    const probe = ask();
    await clock.advance(0);
    const asksBefore = asked;

    stop.abort(new Error("given up"));
    endList({ done: true });
    await list;
    assert.equal(await before, "aborted");

    const another = ask();
    await clock.advance(0);
    assert.equal(asked, asksBefore);
    await clock.advance(BOUND_MS);
    assert.deepEqual(await Promise.all([probe, another]), ["silent", "held"]);
  });
});

test("C-4: a turn of the vault's budget is given back by who gives up waiting for it", async () => {
  // Uses up the whole budget for keys, which then gets 20 more a second.
  for (let index = 0; index < 40; index += 1) assert.equal(await ask({ kind: "key" }), "answered");
  const outcomes = new Set<Outcome>();
  for (let index = 0; index < 100; index += 1) {
    const stop = new AbortController();
    const waiting = ask({ kind: "key", signal: stop.signal });
    await clock.advance(0);
    stop.abort(new Error("given up"));
    outcomes.add(await waiting);
  }
  assert.deepEqual([...outcomes], ["aborted"], "the control: each had to wait");

  let outcome: Outcome | undefined;
  void ask({ kind: "key" }).then((ended) => (outcome = ended));
  await clock.advance(100);

  assert.equal(outcome, "answered");
});
