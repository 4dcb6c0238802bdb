import type { MountedClass, MountedVersions } from "./mounted-versions.ts";
import { MOST_NAMES, type Uses } from "./uses.ts";

/** A synced Secret, by the objects that it was made from. */
export interface MirroredVersions {
  /** `type/name@version`, as on the Secret. */
  readonly objects: readonly string[];
  /** Unix milliseconds at which the Secret got these versions, or later. */
  readonly since: number;
  /** Whether the Secret never had other versions. Then pods that need it could not start before. */
  readonly isFirst: boolean;
}

/** Facts about the classes and Secrets of a namespace. */
export interface NamespaceSecrets {
  /** Returns the Secrets that the class names; undefined if there is no such class. */
  secretsOf(className: string): readonly string[] | undefined;
  /** Whether a class of the namespace names a Secret of that name. */
  isMirrored(secretName: string): boolean;
  /** Returns the versions of a class without synced Secrets. */
  mountedOf(className: string): MountedVersions;
  /** Returns undefined if the Secret does not exist or is not the worker's. */
  versionsIn(secretName: string): MirroredVersions | "noRoom" | undefined;
}

/** The versions that a pod of the workload gets if it starts now. */
export type Versions =
  | KnownVersions
  /** Incomplete at the moment, so a decision would rest on only some of the versions. */
  | { readonly kind: "unknown"; readonly why: string }
  /** It uses no object whose versions the worker knows. */
  | { readonly kind: "none"; readonly why: string };

export interface KnownVersions {
  readonly kind: "known";
  /** Objects in Secrets and mounted ones. */
  readonly objects: readonly string[];
  /** Time at which the youngest version in a Secret came. */
  readonly since: number;
  /** Time at which the youngest version in a Secret came that replaced another one; 0 if none did. */
  readonly rotated: number;
  readonly secrets: readonly string[];
  /** Classes that are only mounted; absent if there are none. */
  readonly mounted?: readonly MountedClass[];
}

const USES_NOTHING = "it uses no class, and no Secret that a class syncs";

/** Limits for one workload, because each pass over a namespace goes through all of them. */
const MOST_SECRETS = 1_000;
const MOST_OBJECTS = 4_000;

/** Returns the versions in synced Secrets, and the versions of objects of classes without synced Secrets. */
export function versionsFor(uses: Uses, namespace: NamespaceSecrets): Versions {
  if (uses.classes.length + uses.secrets.length > MOST_NAMES) return tooMany(`more than ${MOST_NAMES} classes and Secrets`);
  const missing = uses.classes.find((name) => namespace.secretsOf(name) === undefined);
  if (missing !== undefined) return { kind: "unknown", why: `its class ${missing} does not exist` };
  const ofClasses = uses.classes.flatMap((name) => namespace.secretsOf(name) ?? []);
  if (ofClasses.length > MOST_SECRETS) return tooMany(`more than ${MOST_SECRETS} Secrets`);
  const names = [...new Set([...ofClasses, ...uses.secrets.filter((name) => namespace.isMirrored(name))])].sort();
  const ofMounts = uses.classes.filter((name) => namespace.secretsOf(name)?.length === 0).map((name) => namespace.mountedOf(name));
  const open = ofMounts.find(({ kind }) => kind === "unknown");
  if (open?.kind === "unknown") return open;
  const mounted = ofMounts.flatMap((each) => (each.kind === "known" ? [each.mounted] : []));
  if (names.length === 0 && mounted.length === 0) {
    const [why = USES_NOTHING] = ofMounts.flatMap((each) => (each.kind === "none" ? [each.why] : []));
    return { kind: "none", why };
  }
  const objects = new Set(mounted.flatMap((each) => each.objects));
  let since = 0;
  let rotated = 0;
  for (const name of names) {
    const versions = namespace.versionsIn(name);
    if (typeof versions !== "object") return { kind: "unknown", why: whyUnknown(name, versions) };
    for (const object of versions.objects) objects.add(object);
    if (objects.size > MOST_OBJECTS) return tooMany(`more than ${MOST_OBJECTS} objects`);
    since = Math.max(since, versions.since);
    if (!versions.isFirst) rotated = Math.max(rotated, versions.since);
  }
  const ofClassesOnly = mounted.length === 0 ? {} : { mounted };
  return { kind: "known", objects: [...objects].sort(), since, rotated, secrets: names, ...ofClassesOnly };
}

function whyUnknown(name: string, versions: "noRoom" | undefined): string {
  if (versions === "noRoom") return `the worker has no room in memory for the metadata of the Secret ${name}`;
  return `the Secret ${name} does not exist or is not synced`;
}

function tooMany(what: string): Versions {
  return { kind: "none", why: `it uses ${what}, which is too many to track versions for` };
}
