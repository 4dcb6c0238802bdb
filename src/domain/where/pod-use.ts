/** Extracts the classes and Secrets that a pod uses. The rest of the pod, which may be a megabyte, is dropped immediately. */
import { CSI_DRIVER } from "../injection/settings.ts";
import { itemsIn, listAt, memberOf, nonEmptyText, valueAt } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import type { KubeObject } from "../kubernetes.ts";

/** A volume of a container, or a part of it. */
interface Mounted {
  /** Undefined: the whole volume. `*`: a part that only the kubelet knows. A part never changes in a running container. */
  readonly subPath: string | undefined;
}

export type ContainerUse =
  | ({ readonly kind: "mount"; readonly className: string } & Mounted)
  /** `keys` by their paths in the volume. Undefined: all keys, each under its own name. */
  | ({ readonly kind: "volume"; readonly secret: string; readonly keys: ReadonlyMap<string, string> | undefined } & Mounted)
  | { readonly kind: "env"; readonly secret: string; readonly key: string }
  | { readonly kind: "envFrom"; readonly secret: string };

export interface ObservedContainer {
  readonly name: string;
  /** `ended`: the container does not run again while the pod lives, unless it is restarted. */
  readonly state: { readonly kind: "running"; readonly startedAt: number } | { readonly kind: "waiting" } | { readonly kind: "ended" };
  readonly uses: readonly ContainerUse[];
}

export interface PodUse {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** For example, `Deployment/web`; undefined for a bare pod. */
  readonly workload: string | undefined;
  readonly node: string | undefined;
  /** Classes of its CSI volumes, including volumes that no container mounts. */
  readonly classes: readonly string[];
  readonly containers: readonly ObservedContainer[];
}

/** Returns undefined for a pod that has ended, and for a pod that uses neither a class nor a Secret. */
export function podUseOf(pod: KubeObject): PodUse | undefined {
  const { spec, status } = pod as KubeObject & { readonly spec?: unknown; readonly status?: unknown }; // Each member is checked when it is read.
  if (!isJsonObject(spec) || ["Succeeded", "Failed"].includes(String(valueAt(status, ["phase"])))) return undefined;
  const volumes = new Map(listAt(spec, "volumes").flatMap((volume) => volumeEntry(volume)));
  const containers = containersOf(spec, isJsonObject(status) ? status : {}, volumes);
  const classes = [...new Set([...volumes.values()].flat().flatMap((source) => (source.kind === "mount" ? [source.className] : [])))];
  if (classes.length === 0 && containers.length === 0) return undefined;
  const { namespace = "", name, uid = "" } = pod.metadata;
  return { namespace, name, uid, workload: workloadOf(pod), node: nonEmptyText(spec["nodeName"]), classes, containers };
}

type VolumeSource =
  | { readonly kind: "mount"; readonly className: string }
  | { readonly kind: "volume"; readonly secret: string; readonly keys: ReadonlyMap<string, string> | undefined };

function volumeEntry(volume: JsonObject): readonly (readonly [string, readonly VolumeSource[]])[] {
  const name = nonEmptyText(volume["name"]);
  const sources = volumeSources(volume);
  return name === undefined || sources.length === 0 ? [] : [[name, sources]];
}

function volumeSources(volume: JsonObject): readonly VolumeSource[] {
  const className = nonEmptyText(valueAt(volume, ["csi", "volumeAttributes", "secretProviderClass"]));
  if (className !== undefined && valueAt(volume, ["csi", "driver"]) === CSI_DRIVER) return [{ kind: "mount", className }];
  const whole = secretSource(volume["secret"], "secretName");
  const projected = itemsIn(valueAt(volume, ["projected", "sources"])).filter(isJsonObject);
  return [...whole, ...projected.flatMap((source) => secretSource(source["secret"], "name"))];
}

function secretSource(source: unknown, nameField: string): readonly VolumeSource[] {
  const secret = isJsonObject(source) ? nonEmptyText(source[nameField]) : undefined;
  if (secret === undefined || !isJsonObject(source)) return [];
  const items = listAt(source, "items").flatMap(({ key, path }) =>
    typeof key === "string" && typeof path === "string" ? [[path, key] as const] : [],
  );
  return [{ kind: "volume", secret, keys: items.length === 0 ? undefined : new Map(items) }];
}

const LISTS = [
  ["initContainers", "initContainerStatuses"],
  ["containers", "containerStatuses"],
  ["ephemeralContainers", "ephemeralContainerStatuses"],
] as const;

function containersOf(
  spec: JsonObject,
  status: JsonObject,
  volumes: ReadonlyMap<string, readonly VolumeSource[]>,
): readonly ObservedContainer[] {
  return LISTS.flatMap(([list, statuses]) => {
    const states = new Map(listAt(status, statuses).map((each) => [each["name"], memberOf(each, "state")]));
    return listAt(spec, list).flatMap((container) => {
      const uses = [...mountsOf(container, volumes), ...variablesOf(container)];
      const state = stateOf(states.get(container["name"]) ?? {});
      // A finished init container holds no files or variables.
      const isDone = list !== "containers" && state.kind === "ended";
      return uses.length === 0 || isDone ? [] : [{ name: String(container["name"]), state, uses }];
    });
  });
}

function stateOf(state: JsonObject): ObservedContainer["state"] {
  const startedAt = Date.parse(String(valueAt(state, ["running", "startedAt"])));
  if (!Number.isNaN(startedAt)) return { kind: "running", startedAt };
  return isJsonObject(state["terminated"]) ? { kind: "ended" } : { kind: "waiting" };
}

function mountsOf(container: JsonObject, volumes: ReadonlyMap<string, readonly VolumeSource[]>): readonly ContainerUse[] {
  return listAt(container, "volumeMounts").flatMap(({ name, subPath, subPathExpr }) => {
    const part = nonEmptyText(subPath) ?? (nonEmptyText(subPathExpr) === undefined ? undefined : "*");
    return (volumes.get(String(name)) ?? []).map((source) => ({ ...source, subPath: part }));
  });
}

function variablesOf(container: JsonObject): readonly ContainerUse[] {
  const single = listAt(container, "env").flatMap(({ valueFrom }): readonly ContainerUse[] => {
    const [secret, key] = ["name", "key"].map((field) => nonEmptyText(valueAt(valueFrom, ["secretKeyRef", field])));
    return secret === undefined || key === undefined ? [] : [{ kind: "env", secret, key }];
  });
  const all = listAt(container, "envFrom").flatMap(({ secretRef }): readonly ContainerUse[] => {
    const secret = nonEmptyText(valueAt(secretRef, ["name"]));
    return secret === undefined ? [] : [{ kind: "envFrom", secret }];
  });
  return [...single, ...all];
}

/**
 * Returns the owner of the pod. If a Deployment created the ReplicaSet, returns the Deployment, whose name is the ReplicaSet's without the
 * hash.
 */
function workloadOf({ metadata: { ownerReferences = [], labels = {} } }: KubeObject): string | undefined {
  const [owner] = ownerReferences;
  if (owner === undefined) return undefined;
  const hash = labels["pod-template-hash"];
  const isOfDeployment = owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`);
  return isOfDeployment ? `Deployment/${owner.name.slice(0, -hash.length - 1)}` : `${owner.kind}/${owner.name}`;
}
