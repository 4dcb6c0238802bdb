import type { Uses } from "./uses.ts";

/** A mirrored Secret, by what it was made from. */
export interface MirroredVersions {
  /** `type/name@version`, as on the Secret. */
  readonly objects: readonly string[];
  /** Unix milliseconds: when these versions came into it, or later. */
  readonly since: number;
  /** It has had no others: whatever needs the Secret could not start before. */
  readonly isFirst: boolean;
}

/** What a namespace's classes and Secrets say. */
export interface NamespaceSecrets {
  /** Secrets that the class mirrors; undefined where there is no such class. */
  secretsOf(className: string): readonly string[] | undefined;
  /** Whether some class of the namespace mirrors a Secret of that name. */
  isMirrored(secretName: string): boolean;
  /** Undefined where it is not there, or not ours. */
  versionsIn(secretName: string): MirroredVersions | undefined;
}

/** The versions that a pod of the workload gets when it starts now. */
export type Versions =
  | {
      readonly kind: "known";
      readonly objects: readonly string[];
      /** When the youngest of them came. */
      readonly since: number;
      /** When the youngest came that took the place of others; 0 where none did. */
      readonly rotated: number;
      readonly secrets: readonly string[];
    }
  /** Not complete at the moment: a conclusion would be about a part. */
  | { readonly kind: "unknown"; readonly why: string }
  /** It uses nothing that the worker mirrors. */
  | { readonly kind: "none" };

/**
 * Known are the versions in mirrored Secrets. What a class only mounts is not fetched by the worker: the driver does that, on each
 * node, and rotates the files in place.
 */
export function versionsFor(uses: Uses, namespace: NamespaceSecrets): Versions {
  const missing = uses.classes.find((name) => namespace.secretsOf(name) === undefined);
  if (missing !== undefined) return { kind: "unknown", why: `its class ${missing} does not exist` };
  const ofClasses = uses.classes.flatMap((name) => namespace.secretsOf(name) ?? []);
  const names = [...new Set([...ofClasses, ...uses.secrets.filter((name) => namespace.isMirrored(name))])].sort();
  if (names.length === 0) return { kind: "none" };
  const objects = new Set<string>();
  let since = 0;
  let rotated = 0;
  for (const name of names) {
    const versions = namespace.versionsIn(name);
    if (versions === undefined) return { kind: "unknown", why: `the Secret ${name} is not there, or not mirrored` };
    for (const object of versions.objects) objects.add(object);
    since = Math.max(since, versions.since);
    if (!versions.isFirst) rotated = Math.max(rotated, versions.since);
  }
  return { kind: "known", objects: [...objects].sort(), since, rotated, secrets: names };
}
