import type { JsonObject } from "../../api/json.ts";
import type { Choices } from "../random.ts";

export function podSpec(choices: Choices): JsonObject {
  const names = choices.weighted<readonly string[]>([6, ["web"]], [3, ["web", "side"]], [1, ["web", "web"]], [1, []]);
  return {
    containers: names.map((name) => container(choices, name)),
    ...choices.maybe(0.4, () => ({ volumes: volumes(choices) })),
    ...choices.maybe(0.3, () => ({ serviceAccountName: choices.weighted([5, "default"], [1, "missing"]) })),
    ...choices.maybe(0.3, () => ({ automountServiceAccountToken: choices.chance(0.5) })),
    ...choices.maybe(0.15, () => ({ terminationGracePeriodSeconds: choices.of(0, 5) })),
    ...choices.maybe(0.25, () => ({ nodeName: "some-node" })),
    ...choices.maybe(0.15, () => ({ nodeSelector: { disk: choices.of("ssd", "hdd") } })),
    ...choices.maybe(0.1, () => ({
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
    })),
  };
}

function container(choices: Choices, name: string): JsonObject {
  return {
    name,
    ...choices.maybe(0.97, () => ({
      image: choices.of(
        "one",
        "one:1",
        "registry.example/two:latest",
        "three@sha256:0123456789012345678901234567890123456789012345678901234567890123",
      ),
    })),
    ...choices.maybe(0.3, () => ({ env: choices.some(["A", "B"]).map((key) => ({ name: key, value: choices.of("1", "2") })) })),
    ...choices.maybe(0.2, () => ({ ports: [{ containerPort: choices.of(80, 8443), ...choices.maybe(0.5, () => ({ name: "http" })) }] })),
    ...choices.maybe(0.2, () => ({
      resources: { limits: { cpu: "100m", memory: "64Mi" }, ...choices.maybe(0.5, () => ({ requests: { cpu: "50m" } })) },
    })),
    ...choices.maybe(0.2, () => ({
      readinessProbe: { httpGet: { port: 8443, ...choices.maybe(0.5, () => ({ path: "/x", scheme: "HTTPS" })) } },
    })),
    ...choices.maybe(0.15, () => ({ command: ["sleep", choices.of("1", "2")] })),
    ...choices.maybe(0.1, () => ({ securityContext: { readOnlyRootFilesystem: true } })),
  };
}

function volumes(choices: Choices): readonly JsonObject[] {
  const attributes = { secretProviderClass: choices.of("one", "two") };
  const all: readonly JsonObject[] = [
    { name: "store", csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: attributes } },
    { name: "plain" },
    { name: "secret", secret: { secretName: "db" } },
    { name: "map", configMap: { name: "map", items: [{ key: "a", path: "b" }] } },
  ];
  return choices.some(all);
}

/** Returns a random spec of a workload of the kind. */
export function workloadSpec(choices: Choices, kind: "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"): JsonObject {
  const app = choices.weighted([8, "a"], [1, "b"]);
  const { nodeName: _nodeName, ...spec } = podSpec(choices);
  const template = {
    metadata: {
      labels: { app: choices.chance(0.95) ? app : "other" },
      ...choices.maybe(0.4, () => ({
        annotations: { "keyvault-injector.dev/rotated": choices.of("0123456789abcdef", "fedcba9876543210") },
      })),
    },
    spec,
  };
  return {
    ...choices.maybe(0.97, () => ({ selector: { matchLabels: { app } } })),
    template,
    ...(kind === "DaemonSet" ? {} : choices.maybe(0.4, () => ({ replicas: choices.weighted([3, 1], [3, 2], [1, 0], [1, -1]) }))),
    ...(kind === "ReplicaSet" ? {} : choices.maybe(0.2, () => ({ revisionHistoryLimit: choices.of(3, 10) }))),
    ...(kind === "Deployment"
      ? choices.maybe(0.3, () => ({ strategy: choices.of<JsonObject>({ type: "Recreate" }, { rollingUpdate: { maxSurge: 1 } }) }))
      : {}),
    ...(kind === "StatefulSet"
      ? {
          serviceName: "web",
          ...choices.maybe(0.3, () => ({
            updateStrategy: choices.of<JsonObject>(
              { type: "OnDelete" },
              { type: "RollingUpdate" },
              { type: "RollingUpdate", rollingUpdate: {} },
            ),
          })),
        }
      : {}),
    ...(kind === "DaemonSet"
      ? choices.maybe(0.3, () => ({
          updateStrategy: choices.of<JsonObject>({ type: "OnDelete" }, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2 } }),
        }))
      : {}),
    ...choices.maybe(0.2, () => ({ minReadySeconds: 5 })),
  };
}
