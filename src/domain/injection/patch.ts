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
 * The JSON Patch that carries out a plan, empty where the pod has it all. The raw pod and a copy with our additions are
 * compared: the copy shares every part that we do not add to, so nothing in it can differ, known field or not.
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
      // The driver refuses anything else.
      readOnly: true,
      volumeAttributes: { secretProviderClass },
      ...(credentialsSecret === undefined ? {} : { nodePublishSecretRef: { name: credentialsSecret } }),
    },
  };
}

/** What one container gets. */
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

/** By container: a pod may have thousands, and a search in the whole plan for each would take its square. */
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

/** Our own label and status, which a pod made from a copied template brings along. Nothing else is ever overwritten. */
const OVERWRITTEN: readonly string[] = [
  `/metadata/annotations/${pointerPart(POD_ANNOTATIONS.status)}`,
  `/metadata/labels/${pointerPart(INJECTED_LABEL)}`,
];

function pointerPart(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Throws where an operation is not an addition: a bug of ours, which must not reach a pod. */
function checked(raw: JsonObject, operation: ReturnType<typeof jsonpatch.compare>[number]): PatchOperation {
  const { op, path } = operation;
  if (op === "add") return { op, path, value: operation.value };
  if (op === "replace" && OVERWRITTEN.includes(path)) return { op, path, value: operation.value };
  // An explicit `null` is an absent member to Kubernetes, and `add` sets it just the same.
  if (op === "replace" && jsonpatch.getValueByPointer(raw, path) === null) return { op: "add", path, value: operation.value };
  throw new Error(`a patch may only add, this one would ${op} ${path}`);
}
