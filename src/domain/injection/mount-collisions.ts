import type { Denial } from "../admission/reasons.ts";
import { quoted } from "../quoted.ts";
import type { ClassMount } from "./class-mounts.ts";
import { type ContainerSelection, valueWithout } from "./container-selection.ts";
import { denial, fixFor, warning } from "./messages.ts";
import { isSameOrInside, placeOf } from "./mount-path.ts";
import type { Pod, PodContainer } from "./pod.ts";

/** Something that a container has at a path. */
interface Occupant {
  readonly path: string;
  readonly place: string;
  /** In the words of a message. */
  readonly thing: string;
  readonly volume: string | undefined;
  readonly isReadOnly: boolean;
}

/** All that takes up room in a container's file system. */
export type Occupants = readonly Occupant[];

/** Of one pod. To be computed once per container: with many classes each path is compared many times. */
export function occupantsIn({ volumes, system }: Pod): (container: PodContainer) => Occupants {
  const readOnly = new Set(volumes.filter(({ isReadOnly }) => isReadOnly).map(({ name }) => name));
  const at = (path: string) => ({ path, place: placeOf(path, system) });
  return ({ mounts, devicePaths, terminationMessagePath }) => [
    ...mounts.map(({ mountPath, volume, isReadOnly }) => ({
      ...at(mountPath),
      thing: `volume ${quoted(volume, 63)}`,
      volume,
      isReadOnly: isReadOnly || readOnly.has(volume),
    })),
    ...devicePaths.map((path) => ({ ...at(path), thing: "a block device", volume: undefined, isReadOnly: true })),
    { ...at(terminationMessagePath), thing: "its termination message", volume: undefined, isReadOnly: true },
  ];
}

export type Collision =
  | { readonly kind: "refused"; readonly denial: Denial }
  /** It works, and leaves an empty directory in the volume around it. */
  | { readonly kind: "told"; readonly warning: string }
  | { readonly kind: "none" };

/** A container as a class's mount meets it. */
export interface Target {
  readonly container: PodContainer;
  readonly occupants: Occupants;
  /** What it was selected with. */
  readonly selection: ContainerSelection;
}

/**
 * What stands in the way of a class's mount in a container. Runtimes mount outer paths first and make what is missing of an
 * inner one: impossible in a read-only mount, which ours is too.
 */
export function collisionOf(target: Target, mount: ClassMount, place: string): Collision {
  const { occupants } = target;
  const same = occupants.find((occupant) => occupant.place === place);
  if (same !== undefined) return { kind: "refused", denial: denial("pathTaken", said(target, same, mount)) };
  const inner = occupants.find((occupant) => isSameOrInside(occupant.place, place));
  if (inner !== undefined) return { kind: "refused", denial: denial("pathHides", said(target, inner, mount)) };
  const around = occupants.filter((occupant) => isSameOrInside(place, occupant.place));
  // The innermost is the one that the mount point is made in.
  const [outer] = around.sort((a, b) => b.place.length - a.place.length);
  if (outer === undefined) return { kind: "none" };
  if (outer.isReadOnly) return { kind: "refused", denial: denial("pathReadOnly", said(target, outer, mount)) };
  return {
    kind: "told",
    warning: warning("pathInVolume", { container: target.container.name, path: mount.mountPath, volume: outer.volume ?? "" }),
  };
}

function said({ container, selection }: Target, { thing, path }: Occupant, mount: ClassMount) {
  return {
    container: quoted(container.name, 63),
    thing,
    place: quoted(path),
    path: quoted(mount.mountPath),
    class: quoted(mount.className),
    fix: fixFor("path", valueWithout(selection, container.name)),
  };
}
