import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { ClassMount } from "./class-mounts.ts";
import { type ClassFact, type CredentialsReference, credentialsReference } from "./credentials.ts";
import { normalPath } from "./mount-path.ts";
import type { ContainerList, Pod, PodContainer, PodVolume } from "./pod.ts";
import { CSI_DRIVER, type InjectionSettings } from "./settings.ts";

/** What is missing in the pod. Empty lists: it has all of it already. */
export interface InjectionPlan {
  readonly volumes: readonly NewVolume[];
  readonly mounts: readonly NewMount[];
  /** Value of the status annotation. */
  readonly status: string;
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

export interface NewVolume {
  readonly name: string;
  readonly secretProviderClass: string;
  readonly credentialsSecret: string | undefined;
}

export interface NewMount {
  readonly list: ContainerList;
  readonly index: number;
  readonly volume: string;
  readonly mountPath: string;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly mounts: readonly ClassMount[];
  readonly containers: readonly PodContainer[];
  /** By class name; a class that is not in it is unknown. */
  readonly facts: ReadonlyMap<string, ClassFact>;
}

/** A class's volume: `added` is what to add for it, undefined where the pod's own is used as it is. */
interface ChosenVolume {
  readonly name: string;
  readonly added: NewVolume | undefined;
  readonly warnings: readonly string[];
}

/** Compares what the annotations ask for with what the pod has; the plan of a pod that was patched by its plan is empty. */
export function planInjection(input: PlanInput, settings: InjectionSettings): Result<InjectionPlan, Denial> {
  const volumes: ChosenVolume[] = [];
  const mounts: NewMount[] = [];
  for (const mount of input.mounts) {
    const volume = chooseVolume(input, mount);
    if (!volume.ok) return volume;
    const missing = missingMounts(input.containers, volume.value.name, mount);
    if (!missing.ok) return missing;
    volumes.push(volume.value);
    mounts.push(...missing.value);
  }
  const classes = input.mounts.map(({ className }) => className);
  return ok({
    volumes: volumes.flatMap(({ added }) => added ?? []),
    mounts,
    status: JSON.stringify({ version: settings.version, classes, volumes: volumes.map(({ name }) => name) }),
    classes,
    warnings: [...volumes.flatMap(({ warnings }) => warnings), ...subPathWarnings(input.containers, volumes)],
  });
}

function chooseVolume({ pod, facts }: PlanInput, mount: ClassMount): Result<ChosenVolume, Denial> {
  const reference = credentialsReference(mount.className, mount.credentials, facts.get(mount.className) ?? { kind: "unknown" });
  const equal = pod.volumes.filter((volume) => isEqualVolume(volume, mount.className, reference));
  const own = equal.find(({ name }) => name === mount.volumeName) ?? equal[0];
  if (own !== undefined) {
    const refused =
      own.csi?.isReadOnly === true ? [] : [`volume ${quoted(own.name, 63)}: the driver mounts it only with csi.readOnly: true`];
    return ok({ name: own.name, added: undefined, warnings: [...reference.warnings, ...refused] });
  }
  const taken = pod.volumes.find(({ name }) => name === mount.volumeName);
  if (taken !== undefined) return failed(volumeNameTaken(taken, mount, reference));
  const added = { name: mount.volumeName, secretProviderClass: mount.className, credentialsSecret: reference.wanted };
  return ok({ name: mount.volumeName, added, warnings: reference.warnings });
}

function isEqualVolume({ csi }: PodVolume, className: string, reference: CredentialsReference): boolean {
  return csi?.driver === CSI_DRIVER && csi.secretProviderClass === className && reference.accepted.includes(csi.credentialsSecret);
}

function volumeNameTaken(taken: PodVolume, mount: ClassMount, reference: CredentialsReference): Denial {
  const name = quoted(taken.name, 63);
  if (taken.csi?.driver === CSI_DRIVER && taken.csi.secretProviderClass === mount.className) {
    const has =
      taken.csi.credentialsSecret === undefined ? "no nodePublishSecretRef" : `nodePublishSecretRef ${quoted(taken.csi.credentialsSecret)}`;
    const wanted = reference.wanted === undefined ? "none" : quoted(reference.wanted);
    const message = `the pod's own volume ${name} of class ${quoted(mount.className)} has ${has} where ${wanted} is wanted`;
    const fix = `set annotation ${POD_ANNOTATIONS.credentialsSecret} to ${quoted(taken.csi.credentialsSecret ?? "none")}, or change the volume`;
    return { reason: "VolumeNameTaken", message: `${message}: ${fix}` };
  }
  const other =
    taken.csi?.secretProviderClass === undefined ? `${taken.source} volume` : `volume of class ${quoted(taken.csi.secretProviderClass)}`;
  const message = `the volume name ${name} for class ${quoted(mount.className)} is taken by another ${other} of the pod`;
  return {
    reason: "VolumeNameTaken",
    message: `${message}: set annotation ${POD_ANNOTATIONS.volumeName} to a free name, or rename that volume`,
  };
}

/** A container that mounts the volume anywhere has what it needs, at the place it chose. */
function missingMounts(containers: readonly PodContainer[], volume: string, mount: ClassMount): Result<readonly NewMount[], Denial> {
  const missing: NewMount[] = [];
  for (const container of containers) {
    if (container.mounts.some((own) => own.volume === volume)) continue;
    const taken = whatIsAt(container, mount.mountPath);
    if (taken !== undefined) return failed(mountPathTaken(container, mount, taken));
    missing.push({ list: container.list, index: container.index, volume, mountPath: mount.mountPath });
  }
  return ok(missing);
}

function whatIsAt(container: PodContainer, path: string): string | undefined {
  const mount = container.mounts.find(({ mountPath }) => normalPath(mountPath) === path);
  if (mount !== undefined) return `volume ${quoted(mount.volume, 63)}`;
  return container.devicePaths.some((device) => normalPath(device) === path) ? "a block device" : undefined;
}

function mountPathTaken({ name }: PodContainer, { className, mountPath }: ClassMount, taken: string): Denial {
  const message = `container ${quoted(name, 63)} already has ${taken} at ${quoted(mountPath)}, where class ${quoted(className)} is to be mounted`;
  const fix = `set annotation ${POD_ANNOTATIONS.mountPath} to a free path, or leave the container out with ${POD_ANNOTATIONS.containers}: "-${name}"`;
  return { reason: "MountPathTaken", message: `${message}: ${fix}` };
}

/** A mount with `subPath` is bound to the file it found at start. */
function subPathWarnings(containers: readonly PodContainer[], volumes: readonly ChosenVolume[]): readonly string[] {
  const names = volumes.map(({ name }) => name);
  return containers
    .filter(({ mounts }) => mounts.some(({ hasSubPath, volume }) => hasSubPath && names.includes(volume)))
    .map(({ name }) => `container ${quoted(name, 63)} mounts secrets by subPath: rotation does not reach it`);
}
