/**
 * The versions of objects that pods only mount. The worker knows them by its own checks, kept in the class's status: what the driver has
 * written on a node says what a pod has, never what the vault has.
 */
/** A class whose objects no Secret holds, and what a pod that mounts it now gets. */
export interface MountedClass {
  readonly className: string;
  /** By what the driver calls the object, `secret/DemoSecret`; of two with one name the last one counts, as for the driver. */
  readonly versions: ReadonlyMap<string, string>;
  /** `secret/DemoSecret@version`, for all. */
  readonly objects: readonly string[];
  /** Unix milliseconds: pods that are made later have these versions, and may have had others before; 0 where nobody knows. */
  readonly since: number;
}

export type MountedVersions =
  | { readonly kind: "known"; readonly mounted: MountedClass }
  /** Not complete at the moment: a conclusion would be about a part. */
  | { readonly kind: "unknown"; readonly why: string }
  /** Nobody looks at its objects. */
  | { readonly kind: "none"; readonly why: string };

/** The clocks of a vault and of an API server differ, and a Kubernetes time has whole seconds (milliseconds). */
export const CLOCKS_MS = 5_000;

/** For so long after a vault has made a version some of its machines may still give the one before (milliseconds). */
export const SHOWN_AFTER_MS = 60_000;
