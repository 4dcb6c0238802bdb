/** A vault on the emulator that trusts a test's issuer, and processes that query it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { VaultAddress } from "../../src/domain/ports/vault-client.ts";
import { type Emulator, startEmulator } from "../../tools/key-vault-emulator/emulator.ts";
import { baseEnvironment } from "../support/processes/base-environment.ts";

export const ISSUER = "https://issuer.example/cluster";
export const SUBJECT = "system:serviceaccount:shop:reader";

type Claims = Readonly<Record<string, unknown>>;

export interface FederatedVault {
  readonly folder: string;
  readonly emulator: Emulator;
  readonly address: VaultAddress;
  readonly vault: string;
  /** Value of its secret `DemoSecret`. */
  readonly value: string;
  /** Issues a token for {@link SUBJECT} and ten minutes, unless the claims differ. */
  tokenOf(claims: Claims): string;
  /** Number of the last record in the emulator's request log. */
  lastSequence(): Promise<number>;
  stop(): Promise<void>;
}

const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** `name` is the prefix of its folder. */
export async function startFederatedVault(name: string): Promise<FederatedVault> {
  const vault = `kv-${randomBytes(4).toString("hex")}`;
  const value = `value-${randomBytes(18).toString("base64url")}`;
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const emulator = await startEmulator({ stateDir: folder });
  const { tenantId } = await emulator.createVault({ name: vault });
  await emulator.setSecret({ vault, name: "DemoSecret", value });
  const address = { vaultUrl: `https://${vault}.vault.azure.net/`, authorityHost: "https://login.microsoftonline.com/", tenantId };
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await emulator.trustIssuer({ issuer: ISSUER, publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString() });
  return {
    folder,
    emulator,
    address,
    vault,
    value,
    tokenOf: (given) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: ISSUER, sub: SUBJECT, iat: now, nbf: now, exp: now + 600, ...given };
      const signed = `${encoded({ alg: "RS256", typ: "JWT" })}.${encoded(claims)}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
    },
    lastSequence: async () => (await emulator.requests()).at(-1)?.sequence ?? 0,
    stop: async () => {
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface AskedProcess {
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Time limit in milliseconds, after which the process is killed. */
  readonly within: number;
}

/** Returns the process's output for the questions. It must answer, and must not write to stderr. */
export async function askProcess({ file, environment, within }: AskedProcess, questions: unknown): Promise<string> {
  const child = spawn(process.execPath, [file], { env: { ...baseEnvironment(), ...environment } });
  const timer = setTimeout(() => child.kill("SIGKILL"), within);
  child.stdin.end(JSON.stringify(questions));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  clearTimeout(timer);
  assert.notEqual(stdout, "", stderr);
  assert.equal(stderr, "");
  return stdout;
}
