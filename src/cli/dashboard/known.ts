import type { Lease } from "../../domain/kubernetes.ts";
import type { EventWord } from "../../domain/reasons.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { PodUse } from "../../domain/where/pod-use.ts";
import type { ReadClass } from "../../domain/where/read-class.ts";
import type { StatedClass, StoredPodStatus, StoredSecret } from "../../domain/where/stored-versions.ts";
import type { ClassFinding } from "../doctor/class/leaves.ts";
import type { JudgedClass } from "../doctor/class/secrets.ts";
import type { LiveKind } from "./live.ts";

/** Parts of a class that pages show. */
export interface KnownClass extends JudgedClass {
  readonly reading: { readonly kind: "class"; readonly read: ReadClass } | { readonly kind: "unreadable" };
  /** Reason why the provider and the worker reject the class. */
  readonly refused?: ClassFinding;
}

export interface KnownStatus {
  readonly namespace: string;
  readonly name: string;
  readonly status: ClassStatus | undefined;
  readonly stated: StatedClass;
}

/** Event of the worker. The API server keeps it for an hour. */
export interface KnownEvent {
  readonly namespace: string;
  /** Kind and name of the object that the event is about. */
  readonly kind: string;
  readonly name: string;
  readonly reason: EventWord;
  readonly isWarning: boolean;
  readonly message: string;
  /** Time of the last occurrence, in Unix milliseconds. */
  readonly at: number;
  readonly count: number;
}

/** Lease of one of the worker's shards. */
export interface HeldShard {
  readonly shard: number;
  /** Number of shards, as the holder of the Lease counts them. */
  readonly shards: number;
  readonly spec: Lease["spec"];
}

/** Live copies of all watched kinds. Each object is reduced on arrival to what pages show. Of Secrets, the copies get only the metadata. */
export interface LiveCopies {
  readonly classes: LiveKind<KnownClass>;
  readonly classStatuses: LiveKind<KnownStatus>;
  readonly secrets: LiveKind<StoredSecret>;
  readonly pods: LiveKind<PodUse>;
  readonly podStatuses: LiveKind<StoredPodStatus>;
  readonly events: LiveKind<KnownEvent>;
  readonly lease: LiveKind<HeldShard>;
}
