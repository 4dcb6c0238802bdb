import type { LeafName } from "../../../src/cli/doctor/class/leaves.ts";
import type { Place } from "../../support/worker/sync-world.ts";
import type { Asked } from "./doctored-classes.ts";

/** One leaf of the tree that `doctor class` walks, and the fault that leads to it. */
export interface Fault {
  readonly leaf: LeafName;
  /** Distinguishes several faults of the same leaf. */
  readonly title?: string;
  readonly plant: () => Promise<Place>;
  readonly asked?: (place: Place) => Promise<Asked>;
  readonly message?: RegExp | (() => RegExp);
  readonly repair?: () => Promise<unknown>;
}
