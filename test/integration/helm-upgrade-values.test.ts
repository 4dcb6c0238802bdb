/**
 * Renders the chart with the values of 0.3.0, as `helm upgrade --reuse-values` does, and compares it with the manifests of that release.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import { settingsOf, type WorkloadObject } from "../../src/cli/shared/settings-in-force.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { CHART, chartObjects, HELM_VERSIONS, helmRefusal, renderChart, runHelm, templateArguments } from "../support/cluster/helm.ts";
import { at, listAt, MANIFESTS, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";

const refusal = helmRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const VALUES = path.join(MANIFESTS, "releases/0.3.0/values.yaml");
/** Settings that are on in the release's manifests and off in its chart. */
const DRIVER = "secrets-store-csi-driver";
const ON = [`${DRIVER}.syncSecret.enabled=true`, `${DRIVER}.enableSecretRotation=true`];
const COMPONENTS = ["webhook", "sync"] as const;
/** The values name the image of 0.3.0, which the chart refuses. */
const IMAGE = `image=keyvault-injector:${VERSION}`;

const released = readManifests("releases/0.3.0/keyvault-injector.yaml");

const deployment = (objects: readonly Manifest[], component: string): Manifest => {
  const found = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === `keyvault-injector-${component}`);
  assert.ok(found, component);
  return found;
};

/** Returns the fields of one Deployment that a value or its default sets. */
function effective(workload: Manifest): unknown {
  const pod = at(workload, "spec", "template", "spec");
  const [container] = listAt(pod, "containers");
  const ofPod = [
    "priorityClassName",
    "nodeSelector",
    "tolerations",
    "affinity",
    "imagePullSecrets",
    "securityContext",
    "serviceAccountName",
  ];
  const ofContainer = ["imagePullPolicy", "resources", "securityContext"];
  return {
    replicas: at(workload, "spec", "replicas"),
    selector: at(workload, "spec", "selector"),
    pod: Object.fromEntries(ofPod.map((key) => [key, at(pod, key)])),
    container: Object.fromEntries(ofContainer.map((key) => [key, at(container, key)])),
    // Each version tunes its runtime in its own way, with variables as well as with runtime flags.
    variables: listAt(container, "env")
      .map((variable) => at(variable, "name"))
      .filter((name) => name !== "MALLOC_ARENA_MAX"),
  };
}

/** Returns the settings that 0.3.0 knew. Newer settings have their default. */
function settings(workload: Manifest, known: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settingsOf(workload as WorkloadObject)).filter(([name]) => known.includes(name)));
}

/** By value: the setting of 0.3.0, and the flag that it must become. */
const CHANGED = {
  syncMode: ["while-used", "sync-mode"],
  unusedGrace: ["7m", "unused-grace"],
  maxRolloutsPerNamespace: ["3", "max-rollouts-per-namespace"],
  secretAccess: ["blind", "secret-access"],
  cloudName: ["AzureChinaCloud", "cloud-name"],
  logLevel: ["debug", "log-level"],
} as const;

for (const version of HELM_VERSIONS) {
  describe(`an upgrade from the values of 0.3.0, by ${version}`, { skip }, () => {
    const render = (...set: readonly string[]): Promise<readonly Manifest[]> =>
      chartObjects(version, { args: ["--values", VALUES], set: [IMAGE, ...set] });
    let upgraded: readonly Manifest[];
    before(async () => {
      upgraded = await render(...ON);
    });

    test("needs no value that 0.3.0 had not: Helm goes on with the defaults of that chart alone", async () => {
      const folder = mkdtempSync(path.join(tmpdir(), "older-chart-"));
      try {
        cpSync(CHART, folder, { recursive: true });
        cpSync(VALUES, path.join(folder, "values.yaml"));
        const args = templateArguments({ set: [IMAGE] }).map((each) => (each === CHART ? folder : each));
        const { code, stdout, stderr } = await runHelm(version, args);
        assert.equal(code, 0, stderr);
        assert.equal(stdout, await renderChart(version, { args: ["--values", VALUES], set: [IMAGE] }));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test("runs as the release ran: replicas, selectors, resources, places, users", () => {
      for (const component of COMPONENTS) {
        assert.deepEqual(effective(deployment(upgraded, component)), effective(deployment(released, component)), component);
      }
    });

    test("keeps every setting, those of the chart's defaults and those that are on in the manifests", () => {
      const flags = [
        "sync-secret",
        "enable-secret-rotation",
        "rotation-poll-interval",
        ...Object.values(CHANGED).map(([, flag]) => flag),
        "heal",
      ];
      for (const component of COMPONENTS) {
        assert.deepEqual(settings(deployment(upgraded, component), flags), settings(deployment(released, component), flags), component);
      }
      assert.equal(settings(deployment(upgraded, "sync"), flags)["sync-secret"], "true");
    });

    test("leaves sync and rotation off where they were, for worker and driver", async () => {
      const objects = await render();
      const off = settings(deployment(objects, "sync"), ["sync-secret", "enable-secret-rotation"]);
      assert.deepEqual(off, { "sync-secret": "false", "enable-secret-rotation": "false" });
      const driver = objects.find(({ kind, metadata }) => kind === "CSIDriver" && metadata.name === "secrets-store.csi.k8s.io");
      assert.equal(at(driver, "spec", "requiresRepublish"), false);
    });

    test("keeps what users changed in it", async () => {
      const set = Object.entries(CHANGED).map(([name, [value]]) => `${name}=${value}`);
      const objects = await render(
        ...set,
        `image=registry.example.com/ours:${VERSION}`,
        "imagePullPolicy=Always",
        "sync.replicas=3",
        "sync.podLabels.a=b",
      );
      const worker = deployment(objects, "sync");
      for (const [value, flag] of Object.values(CHANGED)) assert.equal(settings(worker, [flag])[flag], value);
      const [container] = listAt(worker, "spec", "template", "spec", "containers");
      assert.deepEqual([at(container, "image"), at(container, "imagePullPolicy")], [`registry.example.com/ours:${VERSION}`, "Always"]);
      assert.equal(at(worker, "spec", "replicas"), 3);
      assert.equal(at(worker, "spec", "template", "metadata", "labels", "a"), "b");
    });

    test("takes the new name of the image over the old one", async () => {
      const image = 'image={"repository":"registry.example.com/ours"}';
      const objects = await chartObjects(version, { args: ["--values", VALUES, "--set-json", image] });
      const [container] = listAt(deployment(objects, "sync"), "spec", "template", "spec", "containers");
      assert.equal(at(container, "image"), `registry.example.com/ours:${VERSION}`);
    });

    test("has the same Services and budgets, and every driver and provider that the values name", () => {
      for (const kind of ["Service", "PodDisruptionBudget"]) {
        const specs = (objects: readonly Manifest[]) =>
          Object.fromEntries(objects.filter((object) => object.kind === kind).map(({ metadata, spec }) => [metadata.name, spec]));
        assert.deepEqual(specs(upgraded), specs(released), kind);
      }
      const values: unknown = parse(readFileSync(VALUES, "utf8"));
      const images = JSON.stringify(upgraded.filter(({ kind }) => kind === "DaemonSet"));
      for (const place of [
        ["linux", "image"],
        [DRIVER, "linux", "image"],
        [DRIVER, "linux", "registrarImage"],
        [DRIVER, "linux", "livenessProbeImage"],
      ]) {
        const image = at(values, ...place);
        assert.ok(images.includes(`"${String(at(image, "repository"))}:${String(at(image, "tag"))}"`), place.join("."));
      }
    });
  });
}
