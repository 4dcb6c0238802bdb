import type { Random } from "../../support/fixtures/random.ts";

export type Json = Record<string, unknown>;

interface Place {
  readonly path: string;
  readonly random: Random;
}

/** Changes an object that the schema allows so that validation accepts it. Keeps the chosen fields if possible. */
type Rule = (object: Json, place: Place) => void;

const selectorRequirement =
  (withValues: readonly string[]): Rule =>
  (object, { random }) => {
    const { values } = object;
    object["operator"] = random.pick(values === undefined ? ["Exists", "DoesNotExist"] : withValues);
    if ((object["operator"] === "Gt" || object["operator"] === "Lt") && Array.isArray(values)) values.length = 1;
  };

const profile: Rule = (object, { random }) => {
  const isLocal = object["localhostProfile"] !== undefined;
  object["type"] = isLocal ? "Localhost" : random.pick(["RuntimeDefault", "Unconfined"]);
};

const matchKeysNeedSelector: Rule = (object) => {
  const hasKeys = object["matchLabelKeys"] !== undefined || object["mismatchLabelKeys"] !== undefined;
  if (hasKeys) object["labelSelector"] ??= { matchLabels: { "example.com/app": "web" } };
};

export const TYPE_RULES: Readonly<Record<string, Rule>> = {
  AppArmorProfile: profile,
  SeccompProfile: profile,
  LabelSelectorRequirement: selectorRequirement(["In", "NotIn"]),
  NodeSelectorRequirement: (object, place) => {
    if (!place.path.includes("matchFields")) {
      selectorRequirement(["In", "NotIn", "Gt", "Lt"])(object, place);
      return;
    }
    // Nodes can be selected only by this field, and by one value.
    object["key"] = "metadata.name";
    object["operator"] = place.random.pick(["In", "NotIn"]);
    object["values"] = [place.random.unique("node")];
  },
  PodAffinityTerm: matchKeysNeedSelector,
  TopologySpreadConstraint: (object, place) => {
    matchKeysNeedSelector(object, place);
    if (object["minDomains"] !== undefined) object["whenUnsatisfiable"] = "DoNotSchedule";
  },
  Toleration: (object, { random }) => {
    if (object["value"] === undefined) object["operator"] = "Exists";
    else {
      object["operator"] = random.pick(["Equal", "Gt", "Lt"]);
      object["key"] ??= "example.com/taint";
      if (object["operator"] !== "Equal") object["value"] = String(random.integer(1, 9));
    }
    if (object["tolerationSeconds"] !== undefined) object["effect"] = "NoExecute";
  },
  AzureDiskVolumeSource: (object, { random }) => {
    if (object["kind"] === "Managed") object["diskURI"] = `/subscriptions/s/resourceGroups/g/providers/p/disks/${random.unique("disk")}`;
  },
  ISCSIVolumeSource: (object) => {
    if (object["chapAuthDiscovery"] === true || object["chapAuthSession"] === true) object["secretRef"] ??= { name: "chap" };
  },
  FCVolumeSource: (object) => {
    if (object["targetWWNs"] === undefined) delete object["lun"];
    else object["lun"] ??= 1;
  },
  ClusterTrustBundleProjection: (object) => {
    if (object["name"] !== undefined) delete object["labelSelector"];
  },
  ResourceFieldSelector: (object, { path }) => {
    if (path.includes("volumes[]")) object["containerName"] ??= "app";
  },
  VolumeMount: (object) => {
    if (object["recursiveReadOnly"] === undefined || object["recursiveReadOnly"] === "Disabled") return;
    object["readOnly"] = true;
    delete object["mountPropagation"];
  },
  Probe: (object, { path }) => {
    // Liveness and startup probes allow only one success. Readiness probes may require several.
    if (!path.endsWith("readinessProbe") && object["successThreshold"] !== undefined) object["successThreshold"] = 1;
  },
  SecurityContext: (object) => {
    const isPrivileged = object["privileged"] === true;
    if (isPrivileged && object["allowPrivilegeEscalation"] === false) object["allowPrivilegeEscalation"] = true;
  },
  Container: (object, { path, random }) => {
    onlyFirstOf(object, "resizePolicy", "resourceName");
    if (path.startsWith("spec.initContainers")) {
      // Probes, resize policies and lifecycle hooks require a container that keeps running: here, a native sidecar.
      const needsToRun = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "resizePolicy"];
      if (needsToRun.some((field) => object[field] !== undefined)) object["restartPolicy"] = "Always";
    }
    if (object["restartPolicyRules"] !== undefined) object["restartPolicy"] ??= random.pick(["Never", "OnFailure"]);
  },
  ResourceRequirements: (object, { path }) => {
    if (path !== "spec.resources") return;
    // Resources of the whole pod: at least as much as its containers may request together.
    if (object["requests"] !== undefined) object["requests"] = { cpu: "32", memory: "64Gi" };
    if (object["limits"] !== undefined) object["limits"] = { cpu: "64", memory: "128Gi" };
  },
};

/** Returns the objects of a list in a generated object. Empty if there is none. */
export function listOf(object: Json, field: string): Json[] {
  const list = object[field];
  return Array.isArray(list) ? list : [];
}

export function objectOf(object: Json, field: string): Json {
  const value = object[field];
  return typeof value === "object" && value !== null ? (value as Json) : {}; // The schema requires an object.
}

/** Only privileged containers may use bidirectional propagation. */
export function withoutPropagationBack(mount: Json): void {
  if (mount["mountPropagation"] === "Bidirectional") mount["mountPropagation"] = "HostToContainer";
}

function onlyFirstOf(object: Json, list: string, key: string): void {
  const items = listOf(object, list);
  if (items.length > 0) object[list] = items.filter((item, index) => items.findIndex((other) => other[key] === item[key]) === index);
}
