import type { ObjectReference } from "./object-reference.ts";

/** Relations of a version to the newest known version. */
export const VERSION_STATES = {
  current: "it is the newest known version",
  old: "it is not the newest known version",
  pinned: "the class names this version, or an earlier place in the version history",
  unknown: "the version is not known",
  "not-running": "the container is not running; when it starts, it gets the version that its source then has",
} as const;

export type VersionState = keyof typeof VERSION_STATES;

/** Sources of the knowledge about a version. */
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

/** A version in a Secret or container. Times are Unix milliseconds. */
export interface Held {
  readonly state: VersionState;
  readonly evidence: Evidence;
  /** Undefined if unknown. For a container that is older than its Secret's version, only its age is known. */
  readonly version: string | undefined;
  /** The version arrived at this time or earlier. */
  readonly since: number | undefined;
  /** Reason why the version is unknown. */
  readonly why?: string;
}

export interface ClassUsage {
  readonly namespace: string;
  readonly name: string;
  /** Files that the object produces. */
  readonly files: readonly string[];
  /** Versions that the class pins. Empty if it follows the newest version. */
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
  /** Undefined if no container mounts the pod's volume. */
  readonly container: string | undefined;
  readonly via: (typeof VIAS)[number];
  /** Source of the object: the class of a mount, otherwise the Secret. */
  readonly from: string;
  readonly className: string;
}

/** The newest version that was seen anywhere. */
export interface CurrentVersion {
  readonly version: string;
  /** Unix milliseconds of a time at which it was the vault's current version. */
  readonly seenAt: number;
  /** Update time in the vault, Unix milliseconds. */
  readonly updated: number | undefined;
}

/** A newest version that only objects of one namespace show. */
export interface UnconfirmedVersion {
  readonly namespace: string;
  readonly version: string;
  /** Unix milliseconds. */
  readonly seenAt: number;
}

/** All uses of one object of one vault. */
export interface ObjectUsage extends ObjectReference {
  /** Same as {@link ReadClass.vault}. */
  readonly vault: string;
  /** Undefined if no version was seen, or if two were seen at the same time. */
  readonly current: CurrentVersion | undefined;
  /** Newest versions of namespaces that differ from `current`. */
  readonly unconfirmed: readonly UnconfirmedVersion[];
  /** Unix milliseconds; the earliest expiry of several versions. */
  readonly expires: number | undefined;
  readonly classes: readonly ClassUsage[];
  readonly secrets: readonly SecretUsage[];
  readonly containers: readonly ContainerUsage[];
}
