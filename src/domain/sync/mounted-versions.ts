import type { MountedVersions } from "../rollout/mounted-versions.ts";
import type { ClassStatus } from "./status-fields.ts";

/** The versions that a pod gets which mounts the class now, by its status. `generation`: of the class as it is now. */
export function mountedVersions(
  className: string,
  { generation, status }: { readonly generation: number; readonly status: ClassStatus | undefined },
): MountedVersions {
  const objects = status?.objects;
  if (status === undefined || objects === undefined || status.observedClassGeneration !== generation)
    return { kind: "unknown", why: `the objects of its class ${className} have not been checked yet` };
  const failing = objects.find(({ version, state }) => version === undefined || state !== undefined);
  // A pod that is made now could not mount the class: no time for a restart.
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
