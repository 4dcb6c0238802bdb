import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkNetwork } from "../../src/cli/doctor/class/network.ts";
import { checkStatus } from "../../src/cli/doctor/class/secrets.ts";
import { reportedWalk, walkClass } from "../../src/cli/doctor/class/walk.ts";
import { answerClasses } from "../../src/cli/doctor/command.ts";
import { type ClassContext, workerSettings } from "../../src/cli/shared/class-context.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { shown } from "../../src/cli/shared/terminal.ts";
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
    const output = shown(text, { hasColour: false });

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

describe("N2: a vault that this machine does not reach", () => {
  const condition = (type: string, status: string, reason: string) => ({ type, status, reason, message: `says ${reason}` });
  const creds: Manifest = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "team-x", name: "secrets-store-creds" },
    data: { clientid: "YQ==", clientsecret: "YQ==" },
  };
  const walked = async (synced: [string, string], fresh: [string, string], isInCluster = false) => {
    const conditions = [condition("Synced", ...synced), condition("Fresh", ...fresh)];
    const context = await contextOf([creds, { ...statusObject, status: { ...status, conditions } }]);
    const azure = { reach: async () => ({ reach: { kind: "unresolved" }, proxy: undefined }), isInCluster, readCloudFile: undefined };
    const walk = reportedWalk(await walkClass({ ...context, azure } as unknown as ClassContext, provider)); // Ends at the network.
    return { ...walk, network: walk.findings.find(({ step }) => step === "network")?.state };
  };

  test("is no failure of a class that the worker mirrors", async () => {
    const { state, network, next } = await walked(["True", "Synced"], ["True", "Synced"]);

    assert.deepEqual([state, network], ["SKIP", "SKIP"]);
    assert.match(next ?? "", /kubectl exec -n keyvault-injector deploy\/keyvault-injector-sync -- .* doctor class team-x\/app\.$/);
  });

  for (const reason of ["ObjectNotFound", "Conflict"]) {
    test(`does not hide what the worker says: ${reason}`, async () => {
      const fresh: [string, string] = reason === "Conflict" ? ["True", "Synced"] : ["False", reason];
      const { state, network, next } = await walked(["False", reason], fresh);

      assert.deepEqual([state, network], ["FAIL", "SKIP"]);
      assert.match(next ?? "", new RegExp(`^Do what the status says \\(${reason}: says ${reason}\\)`));
    });
  }

  for (const reason of ["Unreachable", "Stale", "Unauthorized"]) {
    test(`is the failure where the worker has no answer either: ${reason}`, async () => {
      const { network, next } = await walked(["False", reason], ["False", reason]);

      assert.equal(network, "FAIL");
      assert.match(next ?? "", /^Repair the name service/);
    });
  }

  test("is the failure where the worker's own pod is this machine", async () => {
    assert.equal((await walked(["True", "Synced"], ["True", "Synced"], true)).network, "FAIL");
  });
});
