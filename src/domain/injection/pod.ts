import { annotationsSizeProblem } from "../annotations-size.ts";
import { memberOf, nonEmptyText } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { failed, ok, type Result } from "../result.ts";
import { isTextMap, textMapProblem } from "../text-map.ts";
import type { OperatingSystem } from "./mount-path.ts";
import { systemOfPod } from "./operating-system.ts";

/** The parts of a pod that decisions depend on. `raw` is the pod itself, from which patches are computed. */
export interface Pod {
  readonly raw: JsonObject;
  /** Undefined for a pod whose name the API server has not generated yet. */
  readonly name: string | undefined;
  readonly generateName: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly system: OperatingSystem;
  readonly volumes: readonly PodVolume[];
  /** Init containers first (including native sidecars), then containers, in the pod's order. */
  readonly containers: readonly PodContainer[];
}

export type ContainerList = "initContainers" | "containers";

export interface PodContainer {
  readonly list: ContainerList;
  readonly index: number;
  readonly name: string;
  readonly mounts: readonly PodMount[];
  /** Paths of raw block devices, which must not be mount paths. */
  readonly devicePaths: readonly string[];
  /** Path at which the kubelet mounts the file of the termination message. */
  readonly terminationMessagePath: string;
  /** Names of the variables in `env`. */
  readonly variables: readonly string[];
  readonly envFrom: readonly PodEnvFrom[];
}

/** A source of variables; a ConfigMap has no `secret`. */
export interface PodEnvFrom {
  readonly secret: string | undefined;
  readonly prefix: string;
}

export interface PodMount {
  readonly volume: string;
  readonly mountPath: string;
  readonly isReadOnly: boolean;
  /** `subPath`, or the expression that produces it. */
  readonly subPath: string | undefined;
}

export interface PodVolume {
  readonly name: string;
  /** The volume's type as in the pod: `emptyDir`, `csi`, … */
  readonly source: string;
  /** Whether no container can write to it, regardless of its mounts. */
  readonly isReadOnly: boolean;
  readonly csi: CsiSource | undefined;
}

export interface CsiSource {
  readonly driver: string;
  readonly isReadOnly: boolean;
  readonly secretProviderClass: string | undefined;
  readonly credentialsSecret: string | undefined;
}

/** Reads a pod as the API server sends it. The error names the field that is not valid in a pod. */
export function readPod(raw: unknown): Result<Pod, string> {
  const problems: string[] = [];
  const pod = objectAt(raw, "request.object", problems);
  const metadata = objectAt(pod["metadata"], "metadata", problems);
  const spec = objectAt(pod["spec"], "spec", problems);
  const view: Pod = {
    raw: pod,
    name: nonEmptyText(metadata["name"]),
    generateName: nonEmptyText(metadata["generateName"]),
    labels: textMap(metadata["labels"], "metadata.labels", problems),
    annotations: annotationsOf(metadata, problems),
    system: systemOfPod(spec),
    volumes: objectsAt(spec["volumes"], "spec.volumes", problems).map(readVolume),
    containers: [...readContainers(spec, "initContainers", problems), ...readContainers(spec, "containers", problems)],
  };
  const [problem] = problems;
  return problem === undefined ? ok(view) : failed(problem);
}

/** Returns an empty map if the annotations are too large, so that none of them are read. */
function annotationsOf(metadata: JsonObject, problems: string[]): Readonly<Record<string, string>> {
  const annotations = textMap(metadata["annotations"], "metadata.annotations", problems);
  const problem = annotationsSizeProblem(annotations);
  if (problem === undefined) return annotations;
  problems.push(`metadata.annotations ${problem}`);
  return {};
}

function readContainers(spec: JsonObject, list: ContainerList, problems: string[]): readonly PodContainer[] {
  return objectsAt(spec[list], `spec.${list}`, problems).map((container, index) => {
    const path = `spec.${list}[${index}]`;
    return {
      list,
      index,
      name: nonEmptyText(container["name"]) ?? "",
      mounts: objectsAt(container["volumeMounts"], `${path}.volumeMounts`, problems).map(readMount),
      devicePaths: objectsAt(container["volumeDevices"], `${path}.volumeDevices`, problems).map(
        ({ devicePath }) => nonEmptyText(devicePath) ?? "",
      ),
      terminationMessagePath: nonEmptyText(container["terminationMessagePath"]) ?? "/dev/termination-log",
      variables: objectsAt(container["env"], `${path}.env`, problems).map(({ name }) => nonEmptyText(name) ?? ""),
      envFrom: objectsAt(container["envFrom"], `${path}.envFrom`, problems).map(readEnvFrom),
    };
  });
}

function readEnvFrom(source: JsonObject): PodEnvFrom {
  const secret = isJsonObject(source["secretRef"]) ? nonEmptyText(source["secretRef"]["name"]) : undefined;
  return { secret, prefix: nonEmptyText(source["prefix"]) ?? "" };
}

function readMount(mount: JsonObject): PodMount {
  return {
    volume: nonEmptyText(mount["name"]) ?? "",
    mountPath: nonEmptyText(mount["mountPath"]) ?? "",
    isReadOnly: mount["readOnly"] === true,
    subPath: nonEmptyText(mount["subPath"]) ?? nonEmptyText(mount["subPathExpr"]),
  };
}

/** The kubelet always mounts these read-only. */
export const READ_ONLY_SOURCES = ["configMap", "secret", "downwardAPI", "projected", "image"];

function readVolume(volume: JsonObject): PodVolume {
  const csi = isJsonObject(volume["csi"]) ? volume["csi"] : undefined;
  const source = Object.keys(volume).find((key) => key !== "name" && isJsonObject(volume[key])) ?? "unnamed";
  const fields = memberOf(volume, source);
  return {
    name: nonEmptyText(volume["name"]) ?? "",
    source,
    isReadOnly: READ_ONLY_SOURCES.includes(source) || fields["readOnly"] === true,
    csi: csi === undefined ? undefined : readCsi(csi),
  };
}

function readCsi(csi: JsonObject): CsiSource {
  const attributes = memberOf(csi, "volumeAttributes");
  const reference = memberOf(csi, "nodePublishSecretRef");
  return {
    driver: nonEmptyText(csi["driver"]) ?? "",
    isReadOnly: csi["readOnly"] === true,
    secretProviderClass: nonEmptyText(attributes["secretProviderClass"]),
    credentialsSecret: nonEmptyText(reference["name"]),
  };
}

/** Absent and `null` are the same for Kubernetes. */
function objectAt(value: unknown, path: string, problems: string[]): JsonObject {
  if (isJsonObject(value)) return value;
  problems.push(`${path} must be an object`);
  return {};
}

function objectsAt(value: unknown, path: string, problems: string[]): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every(isJsonObject)) return value;
  problems.push(`${path} must be a list of objects`);
  return [];
}

function textMap(value: unknown, path: string, problems: string[]): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (isTextMap(value)) return value;
  problems.push(textMapProblem(value, path));
  return {};
}
