import jsonpatch from "fast-json-patch";
import type { PatchOperation } from "../admission/decision.ts";
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../annotations.ts";
import { itemsIn, membersOf } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import type { NewVolume } from "./class-volume.ts";
import type { NewEnvFrom } from "./env-from.ts";
import type { InjectionPlan, NewMount } from "./plan.ts";
import type { ContainerList } from "./pod.ts";
import { CSI_DRIVER } from "./settings.ts";

/**
 * Returns the JSON Patch that carries out a plan; empty if the pod already has everything. Compares the raw pod with a copy that has the
 * additions. The copy shares every other part with the raw pod, so those parts cannot differ, even in unknown fields.
 */
export function patchFor(raw: JsonObject, plan: InjectionPlan): readonly PatchOperation[] {
  return jsonpatch.compare(raw, wantedPod(raw, plan)).map((operation) => checked(raw, operation));
}

function wantedPod(raw: JsonObject, plan: InjectionPlan): JsonObject {
  const metadata = membersOf(raw["metadata"]);
  const spec = membersOf(raw["spec"]);
  return {
    ...raw,
    metadata: {
      ...metadata,
      labels: { ...membersOf(metadata["labels"]), [INJECTED_LABEL]: "true" },
      annotations: {
        ...membersOf(metadata["annotations"]),
        ...(plan.status === undefined ? {} : { [POD_ANNOTATIONS.status]: plan.status }),
      },
    },
    spec: {
      ...spec,
      ...(plan.volumes.length === 0 ? {} : { volumes: [...itemsIn(spec["volumes"]), ...plan.volumes.map(volumeFor)] }),
      ...withAdditions(spec, "initContainers", plan),
      ...withAdditions(spec, "containers", plan),
    },
  };
}

function volumeFor({ name, secretProviderClass, credentialsSecret }: NewVolume): JsonObject {
  return {
    name,
    csi: {
      driver: CSI_DRIVER,
      // The driver rejects any other value.
      readOnly: true,
      volumeAttributes: { secretProviderClass },
      ...(credentialsSecret === undefined ? {} : { nodePublishSecretRef: { name: credentialsSecret } }),
    },
  };
}

/** Additions to one container. */
interface Additions {
  readonly mounts: readonly NewMount[];
  readonly envFrom: readonly NewEnvFrom[];
}

function withAdditions(spec: JsonObject, list: ContainerList, plan: InjectionPlan): JsonObject {
  const additions = additionsByIndex(list, plan);
  if (additions.size === 0) return {};
  const containers = itemsIn(spec[list]).map((container, index) => {
    const added = additions.get(index);
    return added === undefined || !isJsonObject(container) ? container : { ...container, ...listsOf(container, added) };
  });
  return { [list]: containers };
}

/**
 * Groups the additions by container. A pod can have thousands of containers, and a search in the whole plan for each would take quadratic
 * time.
 */
function additionsByIndex(list: ContainerList, plan: InjectionPlan): ReadonlyMap<number, Additions> {
  const byIndex = new Map<number, { readonly mounts: NewMount[]; readonly envFrom: NewEnvFrom[] }>();
  const of = (index: number) => {
    const known = byIndex.get(index) ?? { mounts: [], envFrom: [] };
    byIndex.set(index, known);
    return known;
  };
  for (const mount of plan.mounts) if (mount.list === list) of(mount.index).mounts.push(mount);
  for (const source of plan.envFrom) if (source.list === list) of(source.index).envFrom.push(source);
  return byIndex;
}

function listsOf(container: JsonObject, { mounts, envFrom }: Additions): JsonObject {
  const volumeMounts = mounts.map(({ volume, mountPath }) => ({ name: volume, mountPath, readOnly: true }));
  const sources = envFrom.map(({ secret }) => ({ secretRef: { name: secret } }));
  return {
    ...(mounts.length === 0 ? {} : { volumeMounts: [...itemsIn(container["volumeMounts"]), ...volumeMounts] }),
    ...(sources.length === 0 ? {} : { envFrom: [...itemsIn(container["envFrom"]), ...sources] }),
  };
}

/** The project's own label and status, which a pod from a copied template may already have. The webhook overwrites nothing else. */
const OVERWRITTEN: readonly string[] = [
  `/metadata/annotations/${pointerPart(POD_ANNOTATIONS.status)}`,
  `/metadata/labels/${pointerPart(INJECTED_LABEL)}`,
];

function pointerPart(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Throws if an operation is not an addition. That would be a bug in this project and must not reach a pod. */
function checked(raw: JsonObject, operation: ReturnType<typeof jsonpatch.compare>[number]): PatchOperation {
  const { op, path } = operation;
  if (op === "add") return { op, path, value: operation.value };
  if (op === "replace" && OVERWRITTEN.includes(path)) return { op, path, value: operation.value };
  // For Kubernetes, an explicit `null` is an absent member, and `add` sets it in the same way.
  if (op === "replace" && jsonpatch.getValueByPointer(raw, path) === null) return { op: "add", path, value: operation.value };
  throw new Error(`a patch may only add, this one would ${op} ${path}`);
}
