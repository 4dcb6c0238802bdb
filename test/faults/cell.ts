import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Emulator } from "../../tools/key-vault-emulator/emulator.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

/** Of one cell: ten classes of five Secrets, one object each. */
export const SECRETS = 50;
const PER_CLASS = 5;

/** One value of one object, in the order in which the vault got them. */
interface Version {
  readonly version: string;
  readonly value: string;
}

/** How far each object of a cell had got, by its name. */
export type Mark = ReadonlyMap<string, number>;

export interface CellOptions {
  readonly namespace: string;
  /** Also to list: then one list a poll tells what changed; else every poll asks for each object. */
  readonly mayList: boolean;
}

/** A namespace with its classes, a vault of its own with their objects, and one application that may read it. */
export class Cell {
  readonly namespace: string;
  readonly vault = `vault-${randomBytes(6).toString("hex")}`;
  readonly tenantId = randomUUID();
  readonly names: readonly string[];
  /** Not rotated while they are here. */
  readonly resting = new Set<string>();
  /** What a fault does to every new version while it lasts. */
  afterRotation: (name: string) => Promise<void> = async () => undefined;
  /** Changes of the vault so far. */
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

  /** What the credentials Secret holds. */
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

  /** The old client secret is refused from now on. */
  async replaceClientSecret(): Promise<void> {
    this.#clientSecret = (await this.#emulator.setClientSecret({ appId: this.#appId })).clientSecret;
  }

  /** A new version of one object, which is known here when this resolves. */
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

  /** Where the vault is now. */
  mark(): Mark {
    return new Map(this.names.map((name) => [name, (this.#versions.get(name)?.length ?? 0) - 1]));
  }

  /** -1 for a version that the vault never had. */
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

/** One object after the other, until it is stopped. Rejects at the stop where the vault refused a change. */
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
