import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { at, listAt, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";

const install = readManifests(`releases/${VERSION}/keyvault-injector.yaml`);

function find(kind: string, name: string): Manifest {
  const found = install.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

describe("the two Deployments", () => {
  for (const component of ["webhook", "sync"]) {
    const deployment = find("Deployment", `keyvault-injector-${component}`);
    const pod = at(deployment, "spec", "template", "spec");
    const container = at(pod, "containers", 0);

    test(`run ${component} twice, spread, disrupted one at a time, with the reserved names`, () => {
      assert.equal(at(deployment, "spec", "replicas"), 2);
      assert.equal(listAt(pod, "containers").length, 1);
      assert.equal(at(container, "image"), `keyvault-injector:${VERSION}`);
      const [node, ...command] = listAt(container, "command").map(String);
      assert.deepEqual([node, command.at(-1), at(container, "args", 0)], ["node", "dist/main.js", component]);
      assert.deepEqual(
        command.slice(0, -1).filter((flag) => !/^--(?:max-semi-space-size=\d+|heap-growing-percent=\d+|memory-saver-mode)$/.test(flag)),
        [],
      );
      assert.equal(at(pod, "serviceAccountName"), `keyvault-injector-${component}`);
      assert.equal(at(find("PriorityClass", String(at(pod, "priorityClassName"))), "value"), 1_000_000_000);
      const spread = listAt(pod, "topologySpreadConstraints").map((constraint) => at(constraint, "topologyKey"));
      assert.deepEqual(spread, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
      const budget = find("PodDisruptionBudget", `keyvault-injector-${component}`);
      assert.equal(at(budget, "spec", "maxUnavailable"), 1);
      assert.deepEqual(at(budget, "spec", "selector"), at(deployment, "spec", "selector"));
    });

    test(`give ${component} no more than PodSecurity restricted allows`, () => {
      assert.equal(at(pod, "securityContext", "runAsNonRoot"), true);
      assert.equal(at(pod, "securityContext", "seccompProfile", "type"), "RuntimeDefault");
      assert.deepEqual(at(container, "securityContext"), {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
      });
      for (const field of ["hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers"])
        assert.equal(at(pod, field), undefined, field);
    });

    test(`pass ${component} only settings that it knows, and probe what it serves`, () => {
      const flags = listAt(container, "args")
        .map(String)
        .filter((argument) => argument.startsWith("--"));
      for (const flag of flags) assert.ok((flag.slice(2).split("=")[0] ?? "") in SETTINGS, flag);
      const sources = Object.values(SETTINGS).flatMap((setting) => ("environment" in setting ? [setting.environment] : []));
      for (const variable of listAt(container, "env").filter((variable) => at(variable, "name") !== "MALLOC_ARENA_MAX"))
        assert.ok(
          sources.some((source) => source === at(variable, "name")),
          String(at(variable, "name")),
        );

      const probes = ["startupProbe", "livenessProbe", "readinessProbe"].map((probe) => at(container, probe, "httpGet"));
      assert.deepEqual(probes, [
        { path: "/livez", port: "health" },
        { path: "/livez", port: "health" },
        { path: "/readyz", port: "health" },
      ]);
      const ports = listAt(container, "ports").map((port) => `${String(at(port, "name"))} ${String(at(port, "containerPort"))}`);
      const admission = component === "webhook" ? [`admission ${SETTINGS["admission-port"].default}`] : [];
      assert.deepEqual(ports, [...admission, `health ${SETTINGS["health-port"].default}`]);
    });
  }

  test("have mirroring and rotation on in the default overlay, and healing of the node side off", () => {
    const args = at(find("Deployment", "keyvault-injector-sync"), "spec", "template", "spec", "containers", 0, "args");
    assert.deepEqual(args, ["sync", "--sync-secret=true", "--enable-secret-rotation=true", "--heal-node-side=false"]);
  });
});
