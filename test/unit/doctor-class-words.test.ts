import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { checkNetwork } from "../../src/cli/doctor/class/network.ts";
import { checkStatus } from "../../src/cli/doctor/class/secrets.ts";
import { answerClasses } from "../../src/cli/doctor/command.ts";
import { type ClassContext, workerSettings } from "../../src/cli/shared/class-context.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const provider = classOf(
  { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" },
  { namespace: "team-x", name: "app", objects: ["object"], secretObjects: [opaque("app", "object")] },
);
const status = {
  observedGeneration: 1,
  secrets: [],
  conditions: [{ type: "Synced", status: "False", reason: "Unreachable", message: "no answer" }],
};
const statusObject = {
  apiVersion: "keyvault-injector.dev/v1alpha1",
  kind: "SecretProviderClassSync",
  metadata: { namespace: "team-x", name: "app" },
  status,
};
const failing: Manifest = statusObject;

async function contextOf(objects: readonly Manifest[]): Promise<ClassContext> {
  const settings = workerSettings(settingsOf(undefined));
  const parts = {
    tellProgress: () => undefined,
    viewer: holding(objects),
    install: { namespace: "keyvault-injector", settings, fingerprints: undefined },
    worker: await workerCode(),
    signal: AbortSignal.timeout(5_000),
  };
  return { ...parts, azure: undefined } as unknown as ClassContext; // No vault and no clock is asked.
}

describe("F4: a name that is not found", () => {
  const address = { vaultUrl: "https://demo-vault.vault.azure.net", authorityHost: "https://login.microsoftonline.com" };
  const look = async (signsIn: boolean) => {
    const azure = { reach: async () => ({ reach: { kind: "unresolved" }, proxy: undefined }) };
    const given = [azure, address, { signsIn, signal: AbortSignal.timeout(5_000) }] as unknown as Parameters<typeof checkNetwork>;
    return (await checkNetwork(...given))[0];
  };

  test("is put down to DNS or the way out first, where it is the sign-in service's", async () => {
    const finding = await look(true);

    assert.equal(finding?.leaf, "host-unresolved");
    assert.match(finding.fix ?? "", /^Repair the name service or the way out of this machine.*only if.* correct cloudName/);
  });

  test("is put down to the vault first, where it is the vault's", async () => {
    assert.match((await look(false))?.fix ?? "", /^Create the vault demo-vault, or correct keyvaultName/);
  });
});

describe("F4: the totals of doctor class", () => {
  test("count the lines that were printed", async () => {
    const objects = [
      { ...provider, apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass" } as unknown as Manifest,
      failing,
    ];
    const named = { namespace: "team-x", name: "app" };

    const { text } = await answerClasses(await contextOf(objects), named);
    const output = stripVTControlCharacters(text);

    const printed = (state: string): number => output.split("\n").filter((line) => line.startsWith(`  ${state}`)).length;
    assert.ok(printed("OK") > 0 && printed("FAIL") > 0, output);
    assert.ok(
      output.endsWith(`\n${printed("OK")} OK, ${printed("WARN")} WARN, ${printed("FAIL")} FAIL, ${printed("SKIP")} SKIP\n`),
      output,
    );
  });
});

describe("R11: the command that doctor prints for a failing class", () => {
  test("is one that explain takes", async () => {
    const { finding } = await checkStatus(await contextOf([failing]), provider);

    assert.match(finding.fix ?? "", /keyvault-injector explain spc\/app -n team-x\.$/);
  });
});
