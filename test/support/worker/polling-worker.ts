import { Registry } from "prom-client";
import { ok } from "../../../src/domain/result.ts";
import { pki } from "../../../src/pki/pki.ts";
import { DecodingThreads } from "../../../src/pki/threads/decoding-threads.ts";
import type { Mirror } from "../../../src/sync/vault/mirror.ts";
import { ValuesInHand } from "../../../src/sync/vault/values-in-hand.ts";
import { createVaultMetrics } from "../../../src/sync/vault/vault-metrics.ts";
import { createMirrors } from "../../../src/sync/vault/vault-mirror.ts";
import { type DueCheck, type ObjectEntry, StoredClass } from "../fixtures/stored-class.ts";
import { ManualClock } from "../time/manual-clock.ts";
import { endingValues } from "./ending-values.ts";
import { ListedVaults } from "./listed-vault.ts";

/** Time in milliseconds between two polls of a class. */
export const INTERVAL = 120_000;

const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";

export interface PolledClassFacts {
  readonly objects: readonly ObjectEntry[];
  readonly secrets?: Readonly<Record<string, readonly string[]>>;
  readonly clientId?: string;
  readonly vault?: string;
  readonly entry?: Readonly<Record<string, string>>;
  readonly secretData?: string;
  readonly objectSelectors?: string;
  /** Parameters in addition to those for its vault and identity. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface PolledClass extends Pick<StoredClass, "versions" | "stored" | "provider"> {
  first(): Promise<Mirror>;
  poll(check?: Partial<DueCheck>): Promise<Mirror>;
}

/** The part of the worker that queries vaults, with in-memory vaults and a clock that the test advances. */
export class PollingWorker {
  readonly clock = new ManualClock();
  readonly vaults: ListedVaults;
  registry = new Registry();
  /** Classes that received a change. */
  reported: string[] = [];
  /** Namespaces that may use managed identities. */
  readonly lentTo = ["*"];
  /** Text of every file that describes a cloud. */
  cloudFile = "";
  #mirror: ReturnType<typeof createMirrors>;

  /**
   * `skew` is the time by which the vaults' clock is ahead, less than a sign-in tolerates, because no result may depend on equal clocks.
   */
  constructor(skew = 180_000) {
    this.vaults = new ListedVaults(this.clock, skew);
    this.#mirror = this.#createMirrors();
  }

  /** Restarts the worker with an empty memory. */
  start(): void {
    this.registry = new Registry();
    this.reported = [];
    this.#mirror = this.#createMirrors();
  }

  aClass(name: string, { clientId = "app", vault = "vault-1", parameters: others, ...facts }: PolledClassFacts): PolledClass {
    const parameters = { useVMManagedIdentity: "true", userAssignedIdentityID: clientId, ...others };
    const made = new StoredClass(name, { vault, tenantId: TENANT, parameters, ...facts });
    const now = () => ({ due: this.clock.now(), interval: INTERVAL, period: INTERVAL });
    return {
      provider: made.provider,
      first: () => made.first(this.#mirror, now()),
      poll: (check = {}) => made.poll(this.#mirror, { ...now(), ...check }),
      get versions() {
        return made.versions;
      },
      get stored() {
        return made.stored;
      },
    };
  }

  /** A synced class whose objects are older than one second. */
  async synced(facts: PolledClassFacts, name = "class"): Promise<PolledClass> {
    const made = this.aClass(name, facts);
    await made.first();
    this.vaults.taken();
    await this.clock.advance(INTERVAL);
    return made;
  }

  async givenObjects(...names: readonly string[]): Promise<void> {
    this.vaults.set(...names);
    await this.clock.advance(600_000);
  }

  #createMirrors(): ReturnType<typeof createMirrors> {
    const values = new ValuesInHand();
    const mirror = createMirrors({
      vaults: this.vaults,
      clock: this.clock,
      random: () => 0,
      vaultMetrics: createVaultMetrics(this.registry),
      onChange: (classKey) => this.reported.push(classKey) > 0,
      content: {
        render: { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false },
        decoder: new DecodingThreads(this.clock),
        saltKeyOf: () => new Uint8Array(32),
        values,
      },
      identities: {
        // Managed identities need nothing from the cluster.
        kube: Object.create(null),
        credentialsSecretNames: [],
        consumers: { credentialsSecretsOf: () => [], accountsOf: () => [] },
        limits: { allowedVaults: [], allowedIdentityModes: [], managedIdentityNamespaces: this.lentTo, cloudName: "AzurePublicCloud" },
        grants: { of: () => ({ accounts: [], managedIdentity: false }) },
      },
      cloud: { cloudName: "AzurePublicCloud", readCloudFile: () => ok(new TextEncoder().encode(this.cloudFile)) },
    });
    return endingValues(values, mirror);
  }
}
