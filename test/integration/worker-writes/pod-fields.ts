/**
 * Fields that an operator adds to the pods of a component, in the last container and in one before it, and the values that a thief of the
 * worker's token would write there.
 */

import { isDeepStrictEqual } from "node:util";

/** A pod template, a pod, a container or a part of one. The functions change it in place. */
type Part = Record<string, unknown>;

export interface PodField {
  /** Part of the template that contains the path. */
  readonly in: "metadata" | "spec" | "container" | "before";
  readonly path: readonly string[];
  /** Whether the field is one entry of the list at the path. Otherwise it is the whole value. */
  readonly isEntry?: true;
  readonly installed: unknown;
  /** Value that a thief would write there. */
  readonly other: unknown;
}

const field = (where: PodField["in"], path: string, installed: unknown, other: unknown): PodField => ({
  in: where,
  path: path.split("/"),
  installed,
  other,
});

const entry = (where: PodField["in"], path: string, installed: unknown, other: unknown): PodField => ({
  ...field(where, path, installed, other),
  isEntry: true,
});

const nodes = (operator: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: "example.com/pool", operator }] }] },
});

const near = (topologyKey: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app: "of-nobody" } } }],
});

const spread = (maxSkew: number) => ({
  maxSkew,
  topologyKey: "example.com/rack",
  whenUnsatisfiable: "DoNotSchedule",
  labelSelector: { matchLabels: { "app.kubernetes.io/name": "keyvault-injector" } },
});

const probe = (port: number) => ({ tcpSocket: { port }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 });

const OF_PODS: readonly PodField[] = [
  field("metadata", "annotations", { "example.com/guard": "on" }, { "example.com/guard": "off" }),
  entry("spec", "volumes", { name: "spare", emptyDir: { medium: "Memory" } }, { name: "spare", hostPath: { path: "/", type: "" } }),
  entry("spec", "topologySpreadConstraints", spread(1), spread(100)),
  field("spec", "affinity/nodeAffinity", nodes("Exists"), nodes("DoesNotExist")),
  field("spec", "affinity/podAntiAffinity", near("example.com/rack"), near("example.com/room")),
  field("spec", "nodeSelector", { "example.com/pool": "guarded" }, { "example.com/pool": "anybodys" }),
  field("spec", "tolerations", [{ key: "example.com/guarded", operator: "Exists" }], [{ operator: "Exists" }]),
  field("spec", "priorityClassName", "of-the-operator", "system-node-critical"),
  field("spec", "runtimeClassName", "sandbox", "none"),
  field("spec", "schedulerName", "of-the-operator", "of-somebody"),
  field("spec", "hostUsers", false, true),
  field("spec", "shareProcessNamespace", false, true),
  field("spec", "enableServiceLinks", false, true),
  field("spec", "dnsPolicy", "Default", "ClusterFirstWithHostNet"),
  field("spec", "dnsConfig", { options: [{ name: "ndots", value: "1" }] }, { nameservers: ["192.0.2.1"] }),
  field("spec", "hostAliases", [{ ip: "192.0.2.2", hostnames: ["guard"] }], [{ ip: "192.0.2.1", hostnames: ["vault.azure.net"] }]),
  field("spec", "readinessGates", [{ conditionType: "example.com/guarded" }], [{ conditionType: "example.com/other" }]),
  field("spec", "securityContext", { runAsNonRoot: true, fsGroup: 65_532 }, { runAsUser: 0 }),
  field("spec", "terminationGracePeriodSeconds", 45, 100_000),
];

const ofContainers = (where: "container" | "before"): readonly PodField[] => [
  entry(where, "env", { name: "GUARD", value: "on" }, { name: "GUARD", value: "off" }),
  field(where, "envFrom", [{ configMapRef: { name: "guard" } }], [{ secretRef: { name: "keyvault-injector-ca" } }]),
  entry(where, "volumeMounts", { name: "guard", mountPath: "/guard" }, { name: "guard", mountPath: "/guard", subPath: "of-nobody" }),
  field(where, "resources/limits/ephemeral-storage", "1Gi", "100Gi"),
  field(where, "resources/requests/ephemeral-storage", "1Gi", "512Mi"),
  field(where, "securityContext", { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }, { privileged: true }),
  field(where, "command", ["guard"], ["node"]),
  field(where, "args", ["--guarded"], ["--open"]),
  field(where, "workingDir", "/guard", "/"),
  field(where, "lifecycle", { preStop: { sleep: { seconds: 5 } } }, { preStop: { sleep: { seconds: 9 } } }),
  field(where, "startupProbe", probe(9999), probe(9998)),
  field(where, "livenessProbe", probe(9999), probe(9998)),
  field(where, "readinessProbe", probe(9999), probe(9998)),
];

export const POD_FIELDS: readonly PodField[] = [...OF_PODS, ...ofContainers("container"), ...ofContainers("before")];

/** The operator's own containers, which start before the component's. */
const GUARD = { name: "block-imds", image: "iptables:1", imagePullPolicy: "IfNotPresent" };
const SECOND = { name: "second", image: "second:1", imagePullPolicy: "IfNotPresent", restartPolicy: "Always" };

/** Volume that the containers mount. */
export const VOLUME = { name: "guard", emptyDir: {} };

/** Returns the template with the operator's additions. */
export function hardened(template: object): object {
  const copy = structuredClone(template) as Part;
  const spec = copy["spec"] as Part; // Spec of a pod.
  spec["initContainers"] = [{ ...GUARD, restartPolicy: "Always" }, SECOND];
  spec["imagePullSecrets"] = [{ name: "registry" }];
  spec["volumes"] = [...((spec["volumes"] ?? []) as readonly unknown[]), VOLUME];
  for (const each of POD_FIELDS) put(copy, each, each.installed);
  return copy;
}

function partOf(template: Part, { in: where }: PodField): Part {
  const spec = template["spec"] as { containers: Part[]; initContainers?: Part[] } & Part; // Spec of a pod.
  const parts = { metadata: template["metadata"], spec, container: spec.containers.at(-1), before: spec.initContainers?.[0] };
  return parts[where] as Part; // The template has this part.
}

/** Returns the object that contains the last name of the path. Creates missing objects. */
function holder(template: Part, which: PodField): { readonly part: Part; readonly name: string } {
  const names = [...which.path];
  const name = names.pop() ?? "";
  let part = partOf(template, which);
  for (const each of names) part = (part[each] ??= {}) as Part; // The API defines an object here.
  return { part, name };
}

/** Replaces the value of the field. Without a value, removes the field. */
export function put(template: object, which: PodField, value: unknown): void {
  const { part, name } = holder(template as Part, which);
  if (which.isEntry) {
    const isAnother = (item: unknown): boolean => ![which.installed, which.other].some((known) => isDeepStrictEqual(item, known));
    const left = ((part[name] ?? []) as readonly unknown[]).filter(isAnother);
    part[name] = value === undefined ? left : [...left, value];
  } else if (value === undefined) delete part[name];
  else part[name] = value;
}

export const nameOf = ({ in: where, path }: PodField): string => {
  const of = { metadata: "the template", spec: "the pod", container: "its container", before: "the container before it" };
  return `${path.join(".")} of ${of[where]}`;
};
