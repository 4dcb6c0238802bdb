import type { Denial } from "../admission/reasons.ts";
import { INJECTED_LABEL } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { ClassMount } from "./class-mounts.ts";
import type { ContainerSelection } from "./container-selection.ts";
import { type ClassFact, type CredentialsReference, credentialsReference } from "./credentials.ts";
import { type EnvFrom, type NewEnvFrom, planEnvFrom } from "./env-from.ts";
import { denial, warning } from "./messages.ts";
import { collisionOf, occupantsIn, type Target } from "./mount-collisions.ts";
import { placesOf } from "./mount-path.ts";
import type { ContainerList, Pod, PodContainer, PodVolume } from "./pod.ts";
import { CSI_DRIVER, type InjectionSettings } from "./settings.ts";
import { statusThatFits } from "./status-annotation.ts";
import { riskOf } from "./system-paths.ts";

/** What is missing in the pod. Empty lists: it has all of it already. */
export interface InjectionPlan {
  readonly volumes: readonly NewVolume[];
  readonly mounts: readonly NewMount[];
  readonly envFrom: readonly NewEnvFrom[];
  /** Value of the status annotation; undefined where the pod has no room for one. */
  readonly status: string | undefined;
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
  readonly selection: ContainerSelection;
  readonly envFrom: EnvFrom | undefined;
  /** By class name; a class that is not in it is unknown. */
  readonly facts: ReadonlyMap<string, ClassFact>;
}

/** A class's volume: `added` is what to add for it, undefined where the pod's own is used as it is. */
interface ChosenVolume {
  readonly name: string;
  readonly added: NewVolume | undefined;
  /** Its name, and those of the pod's volumes that are the same in all but the name: who mounts one of them has what it needs. */
  readonly equal: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** Compares what the annotations ask for with what the pod has; the plan of a pod that was patched by its plan is empty. */
export function planInjection(input: PlanInput, settings: InjectionSettings): Result<InjectionPlan, Denial> {
  const occupantsOf = occupantsIn(input.pod);
  const { selection } = input;
  const { system } = input.pod;
  const targets = selection.containers.map((container): Target => ({ container, occupants: occupantsOf(container), selection, system }));
  const volumes: ChosenVolume[] = [];
  const mounts: NewMount[] = [];
  const warnings: string[] = [];
  for (const mount of input.mounts) {
    const volume = chooseVolume(input, mount);
    if (!volume.ok) return volume;
    const missing = missingMounts(targets, volume.value, mount, placesOf(mount.mountPath, system));
    if (!missing.ok) return missing;
    volumes.push(volume.value);
    mounts.push(...missing.value.mounts);
    const risk = missing.value.mounts.length === 0 ? undefined : riskOf(mount.mountPath, system);
    if (risk !== undefined) warnings.push(warning(risk, { path: mount.mountPath }));
    warnings.push(...missing.value.warnings);
  }
  const classes = input.mounts.map(({ className }) => className);
  const written = JSON.stringify({ version: settings.version, classes, volumes: volumes.map(({ name }) => name) });
  const status = statusThatFits(input.pod, written);
  const envFrom = planEnvFrom(input, classes);
  if (!envFrom.ok) return envFrom;
  return ok({
    volumes: volumes.flatMap(({ added }) => added ?? []),
    mounts,
    envFrom: envFrom.value.added,
    status,
    classes,
    warnings: [
      ...volumes.flatMap((volume) => volume.warnings),
      ...warnings,
      ...subPathWarnings(selection.containers, volumes),
      ...envFrom.value.warnings,
      ...(status === written ? [] : [warning("noRoomForStatus", {})]),
    ],
  });
}

/** The pod has all that its annotations ask for. The status says what was done, and is no part of that. */
export function isComplete({ labels }: Pod, { volumes, mounts, envFrom }: InjectionPlan): boolean {
  return volumes.length + mounts.length + envFrom.length === 0 && labels[INJECTED_LABEL] === "true";
}

function chooseVolume({ pod, facts }: PlanInput, mount: ClassMount): Result<ChosenVolume, Denial> {
  const reference = credentialsReference(mount.className, mount.credentials, facts.get(mount.className) ?? { kind: "unknown" });
  const equal = pod.volumes.filter((volume) => isEqualVolume(volume, mount.className, reference));
  const own = equal.find(({ name }) => name === mount.volumeName) ?? equal[0];
  if (own !== undefined) {
    const refused = own.csi?.isReadOnly === true ? [] : [warning("writableVolume", { name: own.name })];
    const names = new Set(equal.map(({ name }) => name));
    return ok({ name: own.name, added: undefined, equal: names, warnings: [...reference.warnings, ...refused] });
  }
  const taken = pod.volumes.find(({ name }) => name === mount.volumeName);
  if (taken !== undefined) return failed(volumeNameTaken(taken, mount, reference));
  const added = { name: mount.volumeName, secretProviderClass: mount.className, credentialsSecret: reference.wanted };
  return ok({ name: mount.volumeName, added, equal: new Set([added.name]), warnings: reference.warnings });
}

function isEqualVolume({ csi }: PodVolume, className: string, reference: CredentialsReference): boolean {
  return csi?.driver === CSI_DRIVER && csi.secretProviderClass === className && reference.accepted.includes(csi.credentialsSecret);
}

function volumeNameTaken(taken: PodVolume, mount: ClassMount, reference: CredentialsReference): Denial {
  const [name, className] = [quoted(taken.name, 63), quoted(mount.className)];
  if (taken.csi?.driver === CSI_DRIVER && taken.csi.secretProviderClass === mount.className) {
    const own = taken.csi.credentialsSecret;
    const has = own === undefined ? "no nodePublishSecretRef" : `nodePublishSecretRef ${quoted(own)}`;
    const wanted = reference.wanted === undefined ? "none" : quoted(reference.wanted);
    return denial("referenceDiffers", { name, class: className, has, wanted, own: quoted(own ?? "none") });
  }
  return denial("volumeNameTaken", { name, class: className, other: kindOf(taken) });
}

/** In the words of a message. Other drivers have volumes with a class too, which is none of ours. */
function kindOf({ source, csi }: PodVolume): string {
  if (csi === undefined) return `${source} volume`;
  if (csi.driver !== CSI_DRIVER) return `volume of CSI driver ${quoted(csi.driver)}`;
  return csi.secretProviderClass === undefined ? "csi volume" : `volume of class ${quoted(csi.secretProviderClass)}`;
}

interface MissingMounts {
  readonly mounts: readonly NewMount[];
  readonly warnings: readonly string[];
}

/** A container that mounts the volume anywhere has what it needs, at the place it chose. */
function missingMounts(
  targets: readonly Target[],
  { name: volume, equal }: ChosenVolume,
  mount: ClassMount,
  places: readonly string[],
): Result<MissingMounts, Denial> {
  const mounts: NewMount[] = [];
  const warnings: string[] = [];
  for (const target of targets) {
    const { container } = target;
    if (container.mounts.some((own) => equal.has(own.volume))) continue;
    const collision = collisionOf(target, mount, places);
    if (collision.kind === "refused") return failed(collision.denial);
    if (collision.kind === "told") warnings.push(collision.warning);
    mounts.push({ list: container.list, index: container.index, volume, mountPath: mount.mountPath });
  }
  return ok({ mounts, warnings });
}

/** A mount with `subPath` is bound to the file it found at start. */
function subPathWarnings(containers: readonly PodContainer[], volumes: readonly ChosenVolume[]): readonly string[] {
  const names = new Set(volumes.flatMap(({ equal }) => [...equal]));
  return containers
    .filter(({ mounts }) => mounts.some(({ subPath, volume }) => subPath !== undefined && names.has(volume)))
    .map(({ name }) => warning("subPath", { container: name }));
}
