import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { podUseOf } from "../../src/domain/where/pod-use.ts";

const env = [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } }];
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };

function aPod(spec: object, status: object): KubeObject {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop", uid: "u" }, spec, status };
  return pod;
}

describe("what a pod uses", () => {
  test("is nothing once it has ended, and where it names neither a class nor a Secret", () => {
    const containers = [{ name: "app", env }];
    for (const phase of ["Succeeded", "Failed"]) assert.equal(podUseOf(aPod({ containers }, { phase })), undefined);
    assert.equal(podUseOf(aPod({ containers: [{ name: "app" }], volumes: [{ name: "v", emptyDir: {} }] }, {})), undefined);
  });

  test("is that of sidecars and debugging containers too, and not that of an init container that is done", () => {
    const spec = {
      initContainers: [
        { name: "migrate", env },
        { name: "sidecar", env, restartPolicy: "Always" },
      ],
      containers: [{ name: "app", env }],
      ephemeralContainers: [{ name: "debug", env }],
    };
    const status = {
      initContainerStatuses: [
        { name: "migrate", state: { terminated: { exitCode: 0 } } },
        { name: "sidecar", state: running },
      ],
      containerStatuses: [{ name: "app", state: { waiting: { reason: "CrashLoopBackOff" } } }],
      ephemeralContainerStatuses: [{ name: "debug", state: running }],
    };

    assert.deepEqual(
      podUseOf(aPod(spec, status))?.containers.map(({ name, state }) => [name, state.kind]),
      [
        ["sidecar", "running"],
        ["app", "waiting"],
        ["debug", "running"],
      ],
    );
  });

  test("is a part that only the kubelet knows where the path is made of variables", () => {
    const csi = { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "web" } };
    const mounts = [{ name: "v", mountPath: "/a", subPathExpr: "$(POD_NAME)" }];
    const spec = { containers: [{ name: "app", volumeMounts: mounts }], volumes: [{ name: "v", csi }] };

    assert.deepEqual(podUseOf(aPod(spec, {}))?.containers[0]?.uses, [{ kind: "mount", className: "web", subPath: "*" }]);
  });

  test("is not the volume of another driver, and whatever else is no text is passed over", () => {
    const other = { driver: "other.csi.example.com", volumeAttributes: { secretProviderClass: "web" } };
    const spec = {
      containers: [{ name: "app", env: [{ valueFrom: { secretKeyRef: { name: 1, key: null } } }, 7], envFrom: "x" }],
      volumes: [{ name: "v", csi: other }, null],
    };
    assert.equal(podUseOf(aPod(spec, { containerStatuses: "x" })), undefined);
  });
});
