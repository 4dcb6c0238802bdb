import type { ObjectReference } from "./object-reference.ts";

/** How a version stands beside the newest known one. */
export const VERSION_STATES = {
  current: "it is the newest known version",
  old: "it is not the newest known version",
  pinned: "the class names this version, or an earlier place in the version history",
  unknown: "the version is not known",
  "not-running": "the container is not running; when it starts, it gets the version that its source then has",
} as const;

export type VersionState = keyof typeof VERSION_STATES;

/** How a version is known. */
export const EVIDENCE = {
  annotation: "the worker's annotation on the Secret",
  "class-status": "the status of the class, because you lack permission to see the Secret",
  "pod-status": "SecretProviderClassPodStatus, which the driver writes",
  "started-after": "the container started after its source had the version",
  "started-before": "the container started before its source had the version, and reads it only at its start",
  kubelet: "the kubelet copies the Secret into the volume, within two minutes",
  none: "not known",
} as const;

export type Evidence = keyof typeof EVIDENCE;

/** A version that somebody has. Times are Unix milliseconds. */
export interface Held {
  readonly state: VersionState;
  readonly evidence: Evidence;
  /** Undefined where it is not known: of a container that is older than its Secret's version, only that. */
  readonly version: string | undefined;
  /** Since then at the latest. */
  readonly since: number | undefined;
  /** Why nothing more is known. */
  readonly why?: string;
}

export interface ClassUsage {
  readonly namespace: string;
  readonly name: string;
  /** Files of the object. */
  readonly files: readonly string[];
  /** Versions that the class names; empty: the newest. */
  readonly pins: readonly string[];
}

export interface SecretUsage extends Held {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly keys: readonly string[];
}

const VIAS = ["mount", "volume", "env", "envFrom"] as const;

export interface ContainerUsage extends Held {
  readonly namespace: string;
  readonly pod: string;
  readonly workload: string | undefined;
  readonly node: string | undefined;
  /** Undefined: a volume of the pod that no container mounts. */
  readonly container: string | undefined;
  readonly via: (typeof VIAS)[number];
  /** Where it gets the object from: the class of a mount, else the Secret. */
  readonly from: string;
  readonly className: string;
}

/** The newest version that anybody has been seen with. */
export interface CurrentVersion {
  readonly version: string;
  /** Unix milliseconds: it was the vault's current version then. */
  readonly seenAt: number;
  /** In the vault, Unix milliseconds. */
  readonly updated: number | undefined;
}

/** Everything that uses one object of one vault. */
export interface ObjectUsage extends ObjectReference {
  /** As {@link ReadClass.vault}. */
  readonly vault: string;
  /** Undefined: nobody has been seen with any, or two at the same time. */
  readonly current: CurrentVersion | undefined;
  /** Unix milliseconds; of several versions the earliest. */
  readonly expires: number | undefined;
  readonly classes: readonly ClassUsage[];
  readonly secrets: readonly SecretUsage[];
  readonly containers: readonly ContainerUsage[];
}
