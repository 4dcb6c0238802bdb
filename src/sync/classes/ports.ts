import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { Snapshots } from "../healing/snapshots.ts";
import type { Hints } from "../push/hints.ts";
import type { SecretWriter } from "../secrets/secret-writer.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassCaches, ClassCluster, ClassParts } from "./observe.ts";
import type { StatusStore } from "./status-store.ts";
import type { Teller } from "./tell.ts";
import type { UnansweredEdits } from "./unanswered-edits.ts";

/** What actions are done through. */
export interface ClassPorts {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly caches: WritableCaches;
  readonly memory: ClassMemory;
  readonly secretWriter: SecretWriter;
  readonly teller: ClassTeller;
  /** Puts a class (`namespace/name`) on the queue. */
  readonly enqueue: (classKey: string) => void;
}

/** The live copies, with what is written of classes beside Secrets. */
export interface WritableCaches extends ClassCaches {
  readonly classes: HeldClasses;
  readonly snapshots: Snapshots;
  readonly statuses: StatusStore;
  readonly parts: ClassParts & { readonly hints?: Hints | undefined };
  readonly cluster: ClassCluster & { readonly crdHealth: CrdHealth };
}

/** What this process remembers of classes. */
export interface ClassMemory {
  /** Of classes that the statuses call ready as they were before. */
  readonly edits: UnansweredEdits;
  readonly states: ClassStates;
}

export interface ClassTeller extends Teller {
  /** Counts classes that were lost or cut with their CRD and are as they were. */
  readonly countHealed: (how: "restored" | "repaired") => void;
  /** Why nothing is changed because of classes, and since when (Unix milliseconds). */
  readonly tellFreeze: (why: string, since: number) => void;
}

/** A class that a step is about; `spc` as the step was planned for it. */
export interface Subject {
  readonly key: string;
  readonly spc: HeldClass | undefined;
}
