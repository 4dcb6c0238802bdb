import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Emulator } from "../../tools/key-vault-emulator/emulator.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

/** Number of Secrets of one cell: ten classes with five Secrets each, and one object for each Secret. */
export const SECRETS = 50;
const PER_CLASS = 5;

/** One value of one object. The list has the order in which the vault got them. */
interface Version {
  readonly version: string;
  readonly value: string;
}

/** Index of the latest version of each object of a cell, by the object's name. */
export type Mark = ReadonlyMap<string, number>;

export interface CellOptions {
  readonly namespace: string;
  /** Whether the application may list objects. With it, one list per poll finds the changes. Without it, every poll fetches each object. */
  readonly mayList: boolean;
}

/** A namespace with its classes, a vault with their objects, and one application that may read the vault. */
export class Cell {
  readonly namespace: string;
  readonly vault = `vault-${randomBytes(6).toString("hex")}`;
  readonly tenantId = randomUUID();
  readonly names: readonly string[];
  /** Objects that are not rotated at the moment. */
  readonly resting = new Set<string>();
  /** Called after every new version while a fault lasts. */
  afterRotation: (name: string) => Promise<void> = async () => undefined;
  /** Number of changes of the vault so far. */
  rotations = 0;
  readonly #emulator: Emulator;
  readonly #permissions: readonly ("get" | "list")[];
  readonly #versions = new Map<string, Version[]>();
  #appId = "";
  #clientSecret = "";
  #next = 0;

  constructor(emulator: Emulator, { namespace, mayList }: CellOptions) {
    this.#emulator = emulator;
    this.namespace = namespace;
    this.#permissions = mayList ? ["get", "list"] : ["get"];
    this.names = Array.from({ length: SECRETS }, (_, index) => `object-${index}`);
  }

  get appId(): string {
    return this.#appId;
  }

  get host(): string {
    return `${this.vault}.vault.azure.net`;
  }

  /** Content of the credentials Secret. */
  get credentials(): Readonly<Record<"clientid" | "clientsecret", string>> {
    return { clientid: this.#appId, clientsecret: this.#clientSecret };
  }

  async fill(): Promise<void> {
    await this.#emulator.createVault({ name: this.vault, tenantId: this.tenantId });
    const principal = await this.#emulator.createServicePrincipal({ tenantId: this.tenantId });
    this.#appId = principal.appId;
    this.#clientSecret = principal.clientSecret;
    await this.grant();
    for (const name of this.names) await this.rotate(name);
  }

  async grant(): Promise<void> {
    await this.#emulator.grant({ vault: this.vault, appId: this.#appId, permissions: [...this.#permissions] });
  }

  async revoke(): Promise<void> {
    await this.#emulator.revoke({ vault: this.vault, appId: this.#appId });
  }

  /** Replaces the client secret. Entra rejects the old one immediately. */
  async replaceClientSecret(): Promise<void> {
    this.#clientSecret = (await this.#emulator.setClientSecret({ appId: this.#appId })).clientSecret;
  }

  /** Creates a new version of one object. The cell knows it when this resolves. */
  async rotate(name: string): Promise<void> {
    const versions = this.#versions.get(name) ?? [];
    const value = `${this.namespace}/${name}/${versions.length}/${randomBytes(8).toString("hex")}`;
    const { version } = await this.#emulator.setSecret({ vault: this.vault, name, value });
    this.#versions.set(name, [...versions, { version, value }]);
    this.rotations += 1;
    await this.afterRotation(name);
  }

  async rotateAll(): Promise<void> {
    for (const name of this.names) if (!this.resting.has(name)) await this.rotate(name);
  }

  async rotateNext(): Promise<void> {
    const name = this.names[this.#next++ % this.names.length] ?? "";
    if (!this.resting.has(name)) await this.rotate(name);
  }

  /** Current state of the vault. */
  mark(): Mark {
    return new Map(this.names.map((name) => [name, (this.#versions.get(name)?.length ?? 0) - 1]));
  }

  /** Returns -1 for a version that the vault never had. */
  indexOf(name: string, version: string): number {
    return (this.#versions.get(name) ?? []).findIndex((one) => one.version === version);
  }

  valueAt(name: string, index: number): string | undefined {
    return this.#versions.get(name)?.[index]?.value;
  }

  classes(): readonly SecretProviderClass[] {
    return Array.from({ length: SECRETS / PER_CLASS }, (_, index) => {
      const objects = this.names.slice(index * PER_CLASS, (index + 1) * PER_CLASS);
      const secretObjects = objects.map((name) => opaque(name, name));
      return classOf(this, { namespace: this.namespace, name: `class-${index}`, objects, secretObjects });
    });
  }
}

export interface Rotation {
  stop(): Promise<void>;
}

/** Rotates one object after the other until the caller stops it. The stop rejects if the vault rejected a change. */
export function startRotation(cell: Cell, everyMs: number): Rotation {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await cell.rotateNext();
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return {
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}
