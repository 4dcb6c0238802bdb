import type { Denial } from "../admission/reasons.ts";
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../annotations.ts";
import { annotationsFit } from "../annotations-size.ts";
import { failed, ok, type Result } from "../result.ts";
import type { ClassMount } from "./class-mounts.ts";
import { type ChosenVolume, chooseVolume, type NewVolume, type VolumeInput } from "./class-volume.ts";
import type { ContainerSelection } from "./container-selection.ts";
import { type EnvFrom, type NewEnvFrom, planEnvFrom } from "./env-from.ts";
import { warning } from "./messages.ts";
import { collisionOf, occupantsIn, type Target } from "./mount-collisions.ts";
import { placesOf } from "./mount-path.ts";
import type { ContainerList, Pod, PodContainer } from "./pod.ts";
import type { InjectionSettings } from "./settings.ts";
import { riskOf } from "./system-paths.ts";

/** The missing parts of the pod. Empty lists: the pod already has everything. */
export interface InjectionPlan {
  readonly volumes: readonly NewVolume[];
  readonly mounts: readonly NewMount[];
  readonly envFrom: readonly NewEnvFrom[];
  /** Value of the status annotation; undefined if the pod has no room for one. */
  readonly status: string | undefined;
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

export interface NewMount {
  readonly list: ContainerList;
  readonly index: number;
  readonly volume: string;
  readonly mountPath: string;
}

export interface PlanInput extends Omit<VolumeInput, "settings"> {
  readonly selection: ContainerSelection;
  readonly envFrom: EnvFrom | undefined;
}

/** Compares the request in the annotations with the pod. For a pod that was patched by its plan, the new plan is empty. */
export function planInjection(input: PlanInput, settings: InjectionSettings): Result<InjectionPlan, Denial> {
  const occupantsOf = occupantsIn(input.pod);
  const { selection } = input;
  const { system } = input.pod;
  const targets = selection.containers.map((container): Target => ({ container, occupants: occupantsOf(container), selection, system }));
  const volumes: ChosenVolume[] = [];
  const mounts: NewMount[] = [];
  const warnings: string[] = [];
  for (const mount of input.mounts) {
    const volume = chooseVolume(mount, { ...input, settings });
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
  const envFrom = planEnvFrom(input, classes, settings);
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

/** Whether the pod has everything that its annotations request. Ignores the status annotation, which only reports the result. */
export function isComplete({ labels }: Pod, { volumes, mounts, envFrom }: InjectionPlan): boolean {
  return volumes.length + mounts.length + envFrom.length === 0 && labels[INJECTED_LABEL] === "true";
}

interface MissingMounts {
  readonly mounts: readonly NewMount[];
  readonly warnings: readonly string[];
}

/** Skips containers that already mount the volume, at any path. */
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
    if (collision.kind === "warned") warnings.push(collision.warning);
    mounts.push({ list: container.list, index: container.index, volume, mountPath: mount.mountPath });
  }
  return ok({ mounts, warnings });
}

/** A mount with `subPath` is bound to the file that it found at start. */
function subPathWarnings(containers: readonly PodContainer[], volumes: readonly ChosenVolume[]): readonly string[] {
  const names = new Set(volumes.flatMap(({ equal }) => [...equal]));
  return containers
    .filter(({ mounts }) => mounts.some(({ subPath, volume }) => subPath !== undefined && names.has(volume)))
    .map(({ name }) => warning("subPath", { container: name }));
}

/** For a pod that has a status from elsewhere and no room for its own. */
const EMPTY = "{}";

/**
 * Returns the status if there is room for it. No code reads this output, so it must never cause a rejection of the pod. Undefined: the
 * annotation stays unchanged, usually absent.
 */
function statusThatFits({ annotations }: Pod, status: string): string | undefined {
  const { [POD_ANNOTATIONS.status]: own, ...others } = annotations;
  const fitting = own === undefined ? [status] : [status, EMPTY];
  return fitting.find((text) => annotationsFit({ ...others, [POD_ANNOTATIONS.status]: text }));
}
