/**
 * A process that polls classes like the worker, through the adapter, with its environment as the only access to the vaults. It reads and
 * writes one JSON line per request. It has no cluster: the question contains the credentials.
 */

import { createInterface } from "node:readline";
import { Registry } from "prom-client";
import { createVaultClients } from "../../src/azure/vault-clients.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { pki } from "../../src/pki/pki.ts";
import { DecodingThreads } from "../../src/pki/threads/decoding-threads.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";
import { ValuesInHand } from "../../src/sync/vault/values-in-hand.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { createMirrors } from "../../src/sync/vault/vault-mirror.ts";
import { reasonOf, StoredClass, type StoredClassFacts } from "../support/fixtures/stored-class.ts";
import { endingValues } from "../support/worker/ending-values.ts";

export interface PollQuestion {
  /** Classes by name. A class is created when it is first mentioned. */
  readonly classes: readonly (Pick<StoredClassFacts, "objects" | "vault" | "tenantId"> & { readonly name: string })[];
  readonly clientId: string;
  readonly clientSecret: string;
  readonly kind: "first" | "poll";
  /** Number of the interval in which the poll takes place. */
  readonly round: number;
}

export interface PollAnswer {
  /** By class, in the order of the question. */
  readonly reasons: readonly string[];
  readonly versions: readonly (readonly (string | null)[])[];
  /** Milliseconds until the next attempt of a rejected class. */
  readonly after: readonly (number | null)[];
  /** Names of classes that received a change. */
  readonly reported: readonly string[];
  readonly metrics: string;
}

const INTERVAL_MS = 3_600_000;

const proxy = readOutboundProxy(process.env);
if (!proxy.ok) throw new Error(proxy.error);
const registry = new Registry();
const classes = new Map<string, StoredClass>();
const start = Date.now();
let reported: string[] = [];
let credentials: Readonly<Record<string, string>> = {};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A client with one Secret for every name. The code under test calls only `read`. */
const kube = { read: async () => ({ kind: "found", object: { data: credentials } }) } as unknown as KubeClient;

const values = new ValuesInHand();
const mirrors = createMirrors({
  vaults: createVaultClients({ proxy: proxy.value }),
  clock: systemClock,
  random: () => 0,
  vaultMetrics: createVaultMetrics(registry),
  onChange: (classKey) => reported.push(classKey) > 0,
  content: {
    render: { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false },
    saltKeyOf: () => new Uint8Array(32),
    decoder: new DecodingThreads(systemClock),
    values,
  },
  identities: {
    kube,
    credentialsSecretNames: ["secrets-store-creds"],
    consumers: { credentialsSecretsOf: () => [], accountsOf: () => [] },
    limits: { allowedVaults: [], allowedIdentityModes: [], managedIdentityNamespaces: [], cloudName: "AzurePublicCloud" },
    grants: { of: () => ({ accounts: [], managedIdentity: false }) },
  },
  cloud: { cloudName: "AzurePublicCloud", readCloudFile: undefined },
});
const mirror = endingValues(values, mirrors);

/** Number of classes that are processed at the same time, as in the worker. */
const AT_A_TIME = 8;

async function answer({ classes: asked, clientId, clientSecret, kind, round }: PollQuestion): Promise<PollAnswer> {
  reported = [];
  credentials = { clientid: base64(clientId), clientsecret: base64(clientSecret) };
  const check = { due: start + round * INTERVAL_MS, interval: INTERVAL_MS, period: INTERVAL_MS };
  const answers = new Map<string, Awaited<ReturnType<StoredClass["poll"]>>>();
  const waiting = [...asked];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, ...facts } = next;
      const known = classes.get(name) ?? new StoredClass(name, { ...facts, parameters: {} });
      classes.set(name, known);
      answers.set(name, await (kind === "first" ? known.first(mirror, check) : known.poll(mirror, check)));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const given = asked.map(({ name }) => answers.get(name));
  return {
    reasons: given.map((one) => (one === undefined ? "" : reasonOf(one))),
    versions: asked.map(({ name }) => classes.get(name)?.versions.map((version) => version ?? null) ?? []),
    after: given.map((one) => (one?.kind === "refused" && one.retry.kind === "after" ? one.retry.milliseconds : null)),
    reported,
    metrics: await registry.metrics(),
  };
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    // The test itself writes it.
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as PollQuestion))}\n`);
  }
}
