import { randomBytes, randomUUID } from "node:crypto";
import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";

/** Key Vault's limit for one vault. */
const BUDGET = { transactions: 4_000, perSeconds: 10 } as const;
const VAULTS = 20;
export const OBJECTS_PER_CLASS = 5;

/** A vault, and the only identity that reads it. A namespace with the same name contains the credentials. */
export interface BenchVault {
  readonly name: string;
  readonly tenantId: string;
  readonly appId: string;
  readonly clientSecret: string;
}

/** An object of a vault. The Secret with the same name should contain its value under `value`. */
export interface BenchObject {
  readonly name: string;
  readonly vault: BenchVault;
  value: string;
}

/** The vaults of all contestants. They contain only the objects of the benchmark. */
export interface BenchVaults {
  readonly emulator: SpawnedEmulator;
  readonly vaults: readonly BenchVault[];
  /** Adds objects until this number exists. Five consecutive objects are in one vault. */
  grow(size: number): Promise<readonly BenchObject[]>;
  /** Gives the objects new values. Calls `onNamed` when the values are known but not yet in any vault. */
  rotate(objects: readonly BenchObject[], onNamed: () => void): Promise<void>;
}

export async function createVaults(emulator: SpawnedEmulator): Promise<BenchVaults> {
  const vaults: BenchVault[] = [];
  for (let index = 0; index < VAULTS; index += 1) vaults.push(await createVault(emulator, `bench-${String(index).padStart(2, "0")}`));
  const objects: BenchObject[] = [];
  return {
    emulator,
    vaults,
    grow: async (size) => {
      const added = Array.from({ length: size - objects.length }, (_, index) => newObject(vaults, objects.length + index));
      await inParallel(added, ({ vault, name, value }) => emulator.setSecret({ vault: vault.name, name, value }));
      objects.push(...added);
      return objects;
    },
    rotate: async (rotated, onNamed) => {
      for (const object of rotated) object.value = newValue();
      onNamed();
      await inParallel(rotated, ({ vault, name, value }) => emulator.rotateSecret({ vault: vault.name, name, value }));
    },
  };
}

async function createVault(emulator: SpawnedEmulator, name: string): Promise<BenchVault> {
  const tenantId = randomUUID();
  await emulator.createVault({ name, tenantId });
  const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault: name, appId, permissions: ["get", "list"] });
  await emulator.setBudget({ vault: name, ...BUDGET });
  return { name, tenantId, appId, clientSecret };
}

function newObject(vaults: readonly BenchVault[], index: number): BenchObject {
  const vault = vaults[Math.floor(index / OBJECTS_PER_CLASS) % vaults.length];
  if (vault === undefined) throw new Error("there are no vaults");
  return { name: `object-${index}`, vault, value: newValue() };
}

function newValue(): string {
  return randomBytes(48).toString("base64url");
}

/** Maximum number of concurrent requests while the benchmark itself prepares or disturbs something. */
const AT_A_TIME = 16;

export async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await action(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
