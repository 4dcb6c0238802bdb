/** Upgrades a release of the original 0.3.0 chart to the current chart, with the command on the upgrade page. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { settingsOf, type WorkloadObject } from "../../src/cli/shared/settings-in-force.ts";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { RELEASE, releaseRefusal } from "../install/support/released-image.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { CHART, HELM_VERSIONS, helmRefusal, runHelm } from "../support/cluster/helm.ts";

const refusal = controlPlaneRefusal() ?? helmRefusal() ?? releaseRefusal();
const NAME = "akvsecretsprovider";
const NAMESPACE = "keyvault-injector";
const WORKER = "keyvault-injector-sync";
/** Settings that have another default in a new install than in 0.3.0. */
const CHANGED = ["sync-secret", "enable-secret-rotation", "heal-node-side"] as const;

describe("an upgrade of a release of 0.3.0", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  for (const version of HELM_VERSIONS) {
    describe(`by ${version}`, () => {
      let plane: ControlPlane;
      let folder: string;
      const helm = async (...args: readonly string[]): Promise<void> => {
        const { code, stderr } = await runHelm(version, [...args, "-n", NAMESPACE], { KUBECONFIG: plane.kubeconfigPath });
        assert.equal(code, 0, stderr);
      };
      const install = (...args: readonly string[]): Promise<void> =>
        helm("install", NAME, path.join(folder, "manifests/helm/keyvault-injector"), "--create-namespace", ...args);
      const upgrade = (...args: readonly string[]): Promise<void> => helm("upgrade", NAME, CHART, ...args);
      const inForce = async (...names: readonly string[]): Promise<Readonly<Record<string, string>>> => {
        const worker = JSON.parse(await plane.kubectl(["get", "deployment", WORKER, "-n", NAMESPACE, "-o", "json"])) as WorkloadObject;
        return Object.fromEntries(Object.entries(settingsOf(worker)).filter(([name]) => names.includes(name)));
      };
      /** Whether the worker may write the driver: first by its role, then also by the policy. */
      const mayWriteDriver = async (): Promise<readonly boolean[]> => {
        const role = await plane.kubectl([
          "get",
          "role",
          "keyvault-injector-csi-driver",
          "-n",
          "kube-system",
          "--ignore-not-found",
          "-o",
          "name",
        ]);
        const expression = "-o=jsonpath={.spec.variables[?(@.name=='isOwnComponent')].expression}";
        const policy = await plane.kubectl(["get", "validatingadmissionpolicy", "keyvault-injector-sync-workloads", expression]);
        return [role !== "", policy.includes("csi-secrets-store")];
      };

      before(async () => {
        folder = mkdtempSync(path.join(tmpdir(), "chart-0.3.0-"));
        const archive = execFileSync("git", ["archive", "--format=tar", RELEASE.commit, "manifests/helm"], { cwd: REPOSITORY });
        execFileSync("tar", ["-x", "-C", folder], { input: archive });
        plane = await startControlPlane({ controllerManager: false });
      });
      after(async () => {
        await plane?.stop();
        rmSync(folder, { recursive: true, force: true });
      });

      test("keeps what it had: sync and rotation off, driver and provider healed, until a value says otherwise", async () => {
        const kept = { "sync-secret": "false", "enable-secret-rotation": "false", "heal-node-side": "true" };
        await install();
        await upgrade("--reset-then-reuse-values");
        assert.deepEqual(await inForce(...CHANGED), kept);
        assert.deepEqual(await mayWriteDriver(), [true, true]);
        await upgrade("--reset-values");
        assert.deepEqual(await inForce(...CHANGED), kept);

        await upgrade("--reuse-values", "--set", "healNodeSide=false");
        assert.deepEqual(await mayWriteDriver(), [false, false]);
        await upgrade("--reset-values");
        assert.deepEqual(await inForce(...CHANGED), { ...kept, "heal-node-side": "false" });
        assert.deepEqual(await mayWriteDriver(), [false, false]);

        await upgrade("--reset-values", "--set", "preset=extension");
        assert.deepEqual(await inForce(...CHANGED), kept, "the extension's own");
      });

      test("keeps what was switched the other way, and asks for no more than that", async () => {
        await helm("uninstall", NAME, "--no-hooks");
        const driver = "secrets-store-csi-driver";
        const on = [`${driver}.syncSecret.enabled=true`, `${driver}.enableSecretRotation=true`, "heal={crds,classes}", "logLevel=debug"];
        await install(...on.flatMap((value) => ["--set", value]));
        await upgrade("--reset-then-reuse-values");

        const kept = { "sync-secret": "true", "enable-secret-rotation": "true", "heal-node-side": "false", heal: "crds,classes" };
        assert.deepEqual(await inForce(...CHANGED, "heal", "log-level"), { ...kept, "log-level": "debug" });
        assert.deepEqual(await mayWriteDriver(), [false, false]);
      });

      test("has no word in a new install, which asks for the node side by a value", async () => {
        await helm("uninstall", NAME, "--no-hooks");
        await helm("install", NAME, CHART);
        assert.deepEqual(await inForce(...CHANGED), { "sync-secret": "true", "enable-secret-rotation": "true", "heal-node-side": "false" });
        assert.deepEqual(await mayWriteDriver(), [false, false]);
        await upgrade("--reuse-values", "--set", "healNodeSide=true");
        assert.deepEqual(await mayWriteDriver(), [true, true]);
      });
    });
  }
});
