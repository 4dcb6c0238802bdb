import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";

const refusal = controlPlaneRefusal();
const MAIN = path.resolve(import.meta.dirname, "../live/main.ts");

interface Ran {
  readonly code: number;
  readonly output: string;
}

function runLive(environment: Readonly<Record<string, string>>): Promise<Ran> {
  const { PATH = "", KUBEBUILDER_ASSETS = "", KEYVAULT_INJECTOR_STATE } = process.env;
  const state = KEYVAULT_INJECTOR_STATE === undefined ? {} : { KEYVAULT_INJECTOR_STATE };
  const env = { PATH, KUBEBUILDER_ASSETS, ...state, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
    });
  });
}

describe("the run against a real vault", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let folder: string;
  let emulator: SpawnedEmulator;
  /** Settings of a user with a vault. The emulator is behind a proxy, as a real vault may be. */
  let given: Readonly<Record<string, string>>;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "live-"));
    emulator = await spawnEmulator(folder);
    const { name: vault, tenantId } = await emulator.createVault({ name: "a-real-vault" });
    const { appId, clientSecret } = await emulator.createServicePrincipal({});
    await emulator.grant({ vault, appId, permissions: ["get", "set", "secrets/delete"] });
    given = {
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: appId,
      AZURE_CLIENT_SECRET: clientSecret,
      AZUREKEYVAULT_NAME: vault,
      HTTPS_PROXY: emulator.proxyUrl,
      NODE_EXTRA_CA_CERTS: emulator.caFile,
    };
  });

  after(async () => {
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs it and returns the changes that the vault received. Leaves out the challenge, an earlier request without a token. */
  async function changes(run: () => Promise<Ran>): Promise<Ran & { readonly changes: readonly string[] }> {
    const last = (await emulator.requests()).at(-1)?.sequence ?? 0;
    const ran = await run();
    const asked = (await emulator.requests({ after: last })).filter(
      ({ host, status }) => host.startsWith("a-real-vault.") && status !== 401,
    );
    const changing = asked.filter(({ method }) => method !== "GET");
    return { ...ran, changes: changing.map(({ method, path: at }) => `${method} ${at.replace(/live-[0-9a-f]{12}/, "live-…")}`) };
  }

  test("with permission sets a secret of its own, mirrors and rotates it, and leaves nothing behind", async () => {
    const ran = await changes(() => runLive({ ...given, LIVE_MAY_WRITE: "true" }));

    assert.match(ran.output, /^live: 4\/4 steps in /m, ran.output);
    assert.equal(ran.code, 0);
    const name = "/secrets/keyvault-injector-live-…";
    assert.deepEqual(ran.changes, [`PUT ${name}`, `PUT ${name}`, `DELETE ${name}`, "DELETE /deletedsecrets/keyvault-injector-live-…"]);
    assert.ok(!ran.output.includes(given["AZURE_CLIENT_SECRET"] ?? ""));
  });

  test("without permission changes nothing in the vault, and fails where it has no such secret", async () => {
    const ran = await changes(() => runLive({ ...given, LIVE_SECRET_NAME: "Missing" }));

    assert.match(ran.output, /^1 the document's credentials, class and pod are taken/m, ran.output);
    assert.match(ran.output, /^2 FAILED: .*Missing/m);
    assert.match(ran.output, /^live: 1\/2 steps in /m);
    assert.equal(ran.code, 1);
    assert.deepEqual(ran.changes, []);
  });
});
