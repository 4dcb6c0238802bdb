import type { Denial } from "../admission/reasons.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { ClassMount } from "./class-mounts.ts";
import { type ClassFact, type CredentialsReference, credentialsReference, usesServicePrincipal } from "./credentials.ts";
import { denial, warning } from "./messages.ts";
import type { Pod, PodVolume } from "./pod.ts";
import { CSI_DRIVER, type InjectionSettings } from "./settings.ts";

export interface NewVolume {
  readonly name: string;
  readonly secretProviderClass: string;
  readonly credentialsSecret: string | undefined;
}

/** The volume for a class. `added`: the volume to add, undefined if one of the pod's own volumes is used unchanged. */
export interface ChosenVolume {
  readonly name: string;
  readonly added: NewVolume | undefined;
  /**
   * Its name, and the names of the pod's volumes that differ only in the name. A container that mounts one of them needs no other mount.
   */
  readonly equal: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

export interface VolumeInput {
  readonly pod: Pod;
  readonly mounts: readonly ClassMount[];
  /** By class name; a class that is missing from the map is unknown. */
  readonly facts: ReadonlyMap<string, ClassFact>;
  readonly settings: InjectionSettings;
}

/** Length of `class=name` with the longest possible names. */
const LONGEST_ADVICE = 520;

/** Returns the pod's own volume of the class, or a volume to add, or the denial if neither is possible. */
export function chooseVolume(mount: ClassMount, { pod, mounts, facts, settings }: VolumeInput): Result<ChosenVolume, Denial> {
  const fact = facts.get(mount.className) ?? { kind: "unknown" };
  const isOnly = mounts.length === 1;
  const reference = credentialsReference(mount, fact, settings);
  const equal = pod.volumes.filter((volume) => isEqualVolume(volume, mount.className, reference));
  const own = equal.find(({ name }) => name === mount.volumeName) ?? equal[0];
  if (own !== undefined) {
    const refused = own.csi?.isReadOnly === true ? [] : [warning("writableVolume", { name: own.name })];
    const names = new Set(equal.map(({ name }) => name));
    return ok({ name: own.name, added: undefined, equal: names, warnings: [...reference.warnings, ...refused] });
  }
  const taken = pod.volumes.find(({ name }) => name === mount.volumeName);
  if (taken !== undefined) return failed(volumeNameTaken(taken, { mount, reference, isOnly }));
  const other = pod.volumes.find((volume) => isOtherwiseReferenced(volume, mount, fact));
  if (other !== undefined) return failed(referenceDiffers(other, { mount, reference, isOnly }));
  const added = { name: mount.volumeName, secretProviderClass: mount.className, credentialsSecret: reference.wanted };
  return ok({ name: mount.volumeName, added, equal: new Set([added.name]), warnings: reference.warnings });
}

function isEqualVolume(volume: PodVolume, className: string, reference: CredentialsReference): boolean {
  return isOfClass(volume, className) && reference.accepted.includes(volume.csi?.credentialsSecret);
}

function isOfClass({ csi }: PodVolume, className: string): boolean {
  return csi?.driver === CSI_DRIVER && csi.secretProviderClass === className;
}

/**
 * Whether the pod mounts the class through its own volume, with other credentials than the webhook's default. An additional volume would
 * block the pod if that default does not exist. If the pod names the credentials, the webhook uses these. If the class is known to read no
 * credentials, any reference works.
 */
function isOtherwiseReferenced(volume: PodVolume, { className, credentials }: ClassMount, fact: ClassFact): boolean {
  if (credentials.kind !== "default" || !isOfClass(volume, className)) return false;
  return fact.kind !== "found" || usesServicePrincipal(fact.class);
}

interface Wanted {
  readonly mount: ClassMount;
  readonly reference: CredentialsReference;
  /** Whether the pod mounts no other class. */
  readonly isOnly: boolean;
}

function volumeNameTaken(taken: PodVolume, wanted: Wanted): Denial {
  const { className } = wanted.mount;
  if (isOfClass(taken, className)) return referenceDiffers(taken, wanted);
  return denial("volumeNameTaken", { name: quoted(taken.name, 63), class: quoted(className), other: kindOf(taken) });
}

function referenceDiffers({ name, csi }: PodVolume, { mount, reference, isOnly }: Wanted): Denial {
  const own = csi?.credentialsSecret;
  const value = own ?? "none";
  return denial("referenceDiffers", {
    name: quoted(name, 63),
    class: quoted(mount.className),
    has: own === undefined ? "no nodePublishSecretRef" : `nodePublishSecretRef ${quoted(own)}`,
    wanted: reference.wanted === undefined ? "none" : quoted(reference.wanted),
    own: quoted(isOnly ? value : `${mount.className}=${value}`, LONGEST_ADVICE),
  });
}

/** Returns the words for messages. Other drivers can also have volumes with a class, which is unrelated. */
function kindOf({ source, csi }: PodVolume): string {
  if (csi === undefined) return `${source} volume`;
  if (csi.driver !== CSI_DRIVER) return `volume of CSI driver ${quoted(csi.driver)}`;
  return csi.secretProviderClass === undefined ? "csi volume" : `volume of class ${quoted(csi.secretProviderClass)}`;
}
