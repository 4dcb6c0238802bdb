/**
 * The versions of objects that pods only mount. The worker knows them from its own checks, which the class's status records. The driver's
 * records on a node show the versions in a pod, never the versions in the vault.
 */
/** A class whose objects no Secret contains, and the versions that a pod gets if it mounts the class now. */
export interface MountedClass {
  readonly className: string;
  /** By the driver's name of the object, `secret/DemoSecret`. Of two objects with one name the last one counts, as for the driver. */
  readonly versions: ReadonlyMap<string, string>;
  /** `secret/DemoSecret@version`, for all objects. */
  readonly objects: readonly string[];
  /** Unix milliseconds: pods that are created later have these versions, and pods before may have others; 0 if unknown. */
  readonly since: number;
}

export type MountedVersions =
  | { readonly kind: "known"; readonly mounted: MountedClass }
  /** Incomplete at the moment, so a decision would rest on only some of the objects. */
  | { readonly kind: "unknown"; readonly why: string }
  /** The worker does not check its objects. */
  | { readonly kind: "none"; readonly why: string };

/**
 * Allowance for the difference between the clocks of a vault and an API server, and for the whole seconds of Kubernetes times
 * (milliseconds).
 */
export const CLOCKS_MS = 5_000;

/** Time after the creation of a version during which some machines of the vault may still return the previous one (milliseconds). */
export const SHOWN_AFTER_MS = 60_000;
