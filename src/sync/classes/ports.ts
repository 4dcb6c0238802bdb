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
import type { Reporter } from "./report.ts";
import type { StatusStore } from "./status-store.ts";
import type { UnansweredEdits } from "./unanswered-edits.ts";

/** The interfaces that actions use. */
export interface ClassPorts {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly caches: WritableCaches;
  readonly memory: ClassMemory;
  readonly secretWriter: SecretWriter;
  readonly reporter: ClassReporter;
  /** Puts a class (`namespace/name`) on the queue. */
  readonly enqueue: (classKey: string) => void;
}

/** The live copies, and the stores for what the worker writes about classes besides Secrets. */
export interface WritableCaches extends ClassCaches {
  readonly classes: HeldClasses;
  readonly snapshots: Snapshots;
  readonly statuses: StatusStore;
  readonly parts: ClassParts & { readonly hints?: Hints | undefined };
  readonly cluster: ClassCluster & { readonly crdHealth: CrdHealth };
}

/** State of classes that this process remembers. */
export interface ClassMemory {
  /** Classes whose status still reports them as ready after they changed. */
  readonly edits: UnansweredEdits;
  readonly states: ClassStates;
}

export interface ClassReporter extends Reporter {
  /** Counts classes that were restored after the loss of their CRD, or repaired after damage to it. */
  readonly countHealed: (how: "restored" | "repaired") => void;
  /** Reports why the worker does not act on classes, and since when (Unix milliseconds). */
  readonly reportFreeze: (why: string, since: number) => void;
}

/** The class that a step is about; `spc` is the class for which the step was planned. */
export interface Subject {
  readonly key: string;
  readonly spc: HeldClass | undefined;
}
