import type { MountedVersions } from "../rollout/mounted-versions.ts";
import type { ClassStatus } from "./status-fields.ts";

/**
 * Returns the versions that a pod gets if it mounts the class now, according to the class's status. `generation`: current generation of the
 * class.
 */
export function mountedVersions(
  className: string,
  { generation, status }: { readonly generation: number; readonly status: ClassStatus | undefined },
): MountedVersions {
  const objects = status?.objects;
  if (status === undefined || objects === undefined || status.observedClassGeneration !== generation)
    return { kind: "unknown", why: `the objects of its class ${className} have not been checked yet` };
  const failing = objects.find(({ version, state }) => version === undefined || state !== undefined);
  // A new pod could not mount the class, so a restart now would fail.
  if (failing !== undefined)
    return {
      kind: "unknown",
      why: `its class ${className} cannot be mounted now: ${failing.object}: ${failing.state ?? "its version is not known"}`,
    };
  if (objects.length === 0) return { kind: "none", why: `its class ${className} names no objects` };
  return {
    kind: "known",
    mounted: {
      className,
      versions: new Map(objects.map(({ object, version = "" }) => [object, version])),
      objects: objects.map(({ object, version = "" }) => `${object}@${version}`),
      since: objects.reduce((latest, { since }) => Math.max(latest, since === undefined ? 0 : Date.parse(since)), 0),
    },
  };
}
