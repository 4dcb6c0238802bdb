import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { Snapshots } from "../healing/snapshots.ts";
import type { Hints } from "../push/hints.ts";
import type { SecretWriter } from "../secrets/secret-writer.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassCaches } from "./observe.ts";
import type { StatusStore } from "./status-store.ts";
import type { Teller } from "./tell.ts";
import type { UnansweredEdits } from "./unanswered-edits.ts";

/** What actions are done through. */
export interface ClassPorts {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly crdHealth: CrdHealth;
  readonly caches: ClassCaches;
  readonly stores: ClassStores;
  readonly secretWriter: SecretWriter;
  readonly teller: ClassTeller;
  /** Undefined where no event queue is read. */
  readonly hints?: Hints | undefined;
  /** Puts a class (`namespace/name`) on the queue. */
  readonly enqueue: (classKey: string) => void;
}

/** What is written of classes beside Secrets, and what is remembered. */
export interface ClassStores {
  readonly classes: HeldClasses;
  readonly snapshots: Snapshots;
  readonly statuses: StatusStore;
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
