import type { Lease } from "../../domain/kubernetes.ts";
import type { EventWord } from "../../domain/reasons.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { PodUse } from "../../domain/where/pod-use.ts";
import type { ReadClass } from "../../domain/where/read-class.ts";
import type { StatedClass, StoredPodStatus, StoredSecret } from "../../domain/where/stored-versions.ts";
import type { ClassFinding } from "../doctor/class/leaves.ts";
import type { JudgedClass } from "../doctor/class/secrets.ts";
import type { LiveKind } from "./live.ts";

/** A class, by what pages show of it. */
export interface KnownClass extends JudgedClass {
  readonly reading: { readonly kind: "class"; readonly read: ReadClass } | { readonly kind: "unreadable"; readonly why: string };
  /** Why provider and worker refuse the class as it is written. */
  readonly refused?: ClassFinding;
}

export interface KnownStatus {
  readonly namespace: string;
  readonly name: string;
  readonly status: ClassStatus | undefined;
  readonly stated: StatedClass;
}

/** An event of the worker's, which the API server keeps for an hour. */
export interface KnownEvent {
  readonly namespace: string;
  /** Kind and name of what it is about. */
  readonly kind: string;
  readonly name: string;
  readonly reason: EventWord;
  readonly isWarning: boolean;
  readonly message: string;
  /** Unix milliseconds of the last time. */
  readonly at: number;
  readonly count: number;
}

/** The Lease of one of the worker's shards. */
export interface HeldShard {
  readonly shard: number;
  /** Of all, as its holder counts them. */
  readonly shards: number;
  readonly spec: Lease["spec"];
}

/** Everything that is watched, each object reduced on arrival to what pages show. Of Secrets only metadata is asked for. */
export interface LiveCopies {
  readonly classes: LiveKind<KnownClass>;
  readonly classStatuses: LiveKind<KnownStatus>;
  readonly secrets: LiveKind<StoredSecret>;
  readonly pods: LiveKind<PodUse>;
  readonly podStatuses: LiveKind<StoredPodStatus>;
  readonly events: LiveKind<KnownEvent>;
  readonly lease: LiveKind<HeldShard>;
}
