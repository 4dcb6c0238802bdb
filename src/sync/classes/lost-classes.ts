import { restoredClass } from "../../domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { Snapshots } from "../healing/snapshots.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassChange } from "./unanswered-edits.ts";

interface Live {
  readonly classes: Pick<HeldClasses, "get">;
  readonly snapshots: Pick<Snapshots, "keys" | "get">;
  readonly crdHealth: Pick<CrdHealth, "state">;
}

/** Classes that were lost with their CRD, and that the worker has not restored yet. */
export class LostClasses {
  readonly #heal: WorkerSettings["heal"];
  readonly #live: () => Live;
  /** Whether a class has disappeared since the last search that found all classes. */
  #mayBeLost = true;

  /** `live` returns the live copies. They may be created later, but before the first search. */
  constructor({ heal }: Pick<WorkerSettings, "heal">, live: () => Live) {
    this.#heal = heal;
    this.#live = live;
  }

  /** Call this for every change of a class. */
  note({ current }: ClassChange): void {
    if (current === undefined) this.#mayBeLost = true;
  }

  /**
   * Yields each lost class as the worker will restore it. Yields none while the CRD is frozen, or if the worker does not restore classes.
   * Reads one snapshot at a time, because thousands of classes may be lost.
   */
  *list(): Generator<SecretProviderClass> {
    const { classes, snapshots, crdHealth } = this.#live();
    const crd = crdHealth.state;
    if (!this.#mayBeLost || crd.kind === "frozen" || !this.#heal.includes("classes")) return;
    const isAbsent = (key: string): boolean => classes.get(refOfKey(key)) === undefined;
    const absent = snapshots.keys().filter(isAbsent);
    this.#mayBeLost = absent.length > 0;
    for (const key of absent) {
      const taken = isAbsent(key) ? snapshots.get(key) : undefined;
      // Under the CRD of its snapshot, a missing class was deleted by its owner.
      if (taken !== undefined && taken.crdUid !== crd.crdUid) yield restoredClass(taken);
    }
  }
}
