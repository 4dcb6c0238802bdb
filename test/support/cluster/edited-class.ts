import { classOf, classPath, mergePatch, opaque, type Place, type SyncWorld } from "../worker/sync-world.ts";
import type { ControlPlane } from "./control-plane.ts";

/** Name of an object that the vault does not have. */
export const ABSENT = "object-that-nobody-made";

/** A class with one object and one Secret that has the class's name. */
export function classNaming(world: SyncWorld, { namespace, name }: Place, object: string) {
  return classOf(world, { namespace, name, objects: [object], secretObjects: [opaque(name, object)] });
}

/** Edits the class so that it names another object. Resolves with its new generation. */
export async function editClass(world: SyncWorld, place: Place, object: string): Promise<number> {
  const { spec } = classNaming(world, place, object);
  const { body } = await mergePatch(world.plane, classPath(place.namespace, place.name), { spec });
  return (body as { readonly metadata: { readonly generation: number } }).metadata.generation; // The API server's own object.
}

/** Waits as the reference page describes: with `kubectl wait` for the given generation. */
export async function waitForGeneration(
  plane: Pick<ControlPlane, "kubectl">,
  { namespace, name }: Place,
  generation: number,
): Promise<void> {
  await plane.kubectl([
    "wait",
    `spcsync/${name}`,
    "-n",
    namespace,
    `--for=jsonpath={.status.observedClassGeneration}=${generation}`,
    "--timeout=60s",
  ]);
}

/** Runs `kubectl wait` for a condition: `Ready`, `Ready=False`. */
export async function waitForCondition(
  plane: Pick<ControlPlane, "kubectl">,
  { namespace, name }: Place,
  condition: string,
  timeout = "60s",
): Promise<void> {
  await plane.kubectl(["wait", `spcsync/${name}`, "-n", namespace, `--for=condition=${condition}`, `--timeout=${timeout}`]);
}
