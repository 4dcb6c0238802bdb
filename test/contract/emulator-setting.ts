import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clientEnvironment, managedIdentityEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import type { Permission } from "../../tools/key-vault-emulator/vault/permissions.ts";
import { type SdkProcess, startSdkProcess } from "./sdk-process.ts";
import type { ClientSpec, SdkCall, SdkFailure } from "./sdk-protocol.ts";

/** A vault and an identity with some permissions in it. */
export interface Setting {
  readonly vault: string;
  readonly host: string;
  readonly client: ClientSpec;
}

const EVERYTHING: readonly Permission[] = ["get", "list", "keys/get", "keys/list", "certificates/get", "certificates/list"];

/** An emulator and the official SDKs, each in its own process. */
export class EmulatorSetting {
  readonly emulator: SpawnedEmulator;
  readonly stateDir: string;
  readonly #sdk: SdkProcess;
  #count = 0;

  private constructor(emulator: SpawnedEmulator, stateDir: string) {
    this.emulator = emulator;
    this.stateDir = stateDir;
    this.#sdk = startSdkProcess({ ...clientEnvironment(emulator), ...managedIdentityEnvironment(emulator) });
  }

  static async start(): Promise<EmulatorSetting> {
    const stateDir = await mkdtemp(join(tmpdir(), "key-vault-contract-"));
    return new EmulatorSetting(await spawnEmulator(stateDir), stateDir);
  }

  async stop(): Promise<void> {
    await this.#sdk.stop();
    await this.emulator.stop();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  /** Creates a vault for one test. */
  async aVault(permissions: readonly Permission[] = EVERYTHING): Promise<Setting> {
    this.#count += 1;
    const { name, url, tenantId } = await this.emulator.createVault({ name: `contract-${this.#count}` });
    const { appId, clientSecret } = await this.emulator.createServicePrincipal({});
    if (permissions.length > 0) await this.emulator.grant({ vault: name, appId, permissions: [...permissions] });
    return { vault: name, host: new URL(url).host, client: { vaultUrl: url, tenantId, clientId: appId, clientSecret } };
  }

  async succeeds(client: ClientSpec, call: SdkCall): Promise<unknown> {
    const answer = await this.#sdk.ask({ client, call });
    assert.ok(answer.ok, answer.ok ? "" : `${answer.error.name}: ${answer.error.message}`);
    return answer.value;
  }

  async fails(client: ClientSpec, call: SdkCall): Promise<SdkFailure> {
    const answer = await this.#sdk.ask({ client, call });
    assert.ok(!answer.ok, `the call was expected to fail, and answered ${JSON.stringify(answer)}`);
    return answer.error;
  }

  async lastSequence(): Promise<number> {
    return (await this.emulator.requests()).at(-1)?.sequence ?? 0;
  }

  /** Statuses of requests to a host since `after`, without challenges. */
  async statuses(host: string, after: number): Promise<readonly number[]> {
    const records = await this.emulator.requests({ after });
    return records.filter((record) => record.host === host && record.status !== 401).map(({ status }) => status);
  }
}

/** A text field of an SDK's answer. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  let found = value;
  for (const name of path) found = typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined;
  assert.equal(typeof found, "string", path.join("."));
  return String(found);
}
