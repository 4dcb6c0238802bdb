export interface Size {
  readonly teams: number;
  readonly classes: number;
  /** More teams, with one class each. */
  readonly solitary: number;
  /** Of the other teams: share of those that have a class which is only mounted, and a workload that mounts it. */
  readonly mounted: number;
  readonly objects: number;
  readonly replicas: number;
  /** Of teams whose application may list its vault. */
  readonly listers: number;
  /** What some worlds have and others have not, such as a greedy tenant: 1 as often as usual, 0 in none. */
  readonly oddities: number;
  /** Of the worlds whose worker reads events of vaults from a queue. */
  readonly eventQueues: number;
  /** Of the worlds whose worker may have shards. */
  readonly shards: number;
  /** Leases and probes as the product has them; else most worlds have slower ones. */
  readonly hasOwnPace: boolean;
}

export const USUAL: Size = {
  teams: 6,
  classes: 50,
  solitary: 3,
  mounted: 0.6,
  objects: 12,
  replicas: 3,
  listers: 0.8,
  oddities: 1,
  eventQueues: 0.5,
  shards: 0.5,
  hasOwnPace: false,
};

/** Shows most of what the usual one does in a third of the time. */
export const SMALL: Size = { ...USUAL, teams: 3, classes: 12, solitary: 2, objects: 6 };

/**
 * `crowd`: of the usual size, with many classes. `events`: each seed's worker reads events from a queue, and not only every other one's.
 * `odd`: what one world in three has and the others have not, such as a limit of restarts in the cluster, each has. `shards`: the
 * worker has shards, and not only every other one's.
 */
export const WORLDS = {
  usual: USUAL,
  small: SMALL,
  crowd: { ...USUAL, hasOwnPace: true },
  events: { ...SMALL, eventQueues: 1 },
  shards: { ...SMALL, eventQueues: 0, shards: 1 },
  odd: { ...SMALL, oddities: 3 },
} as const satisfies Readonly<Record<string, Size>>;

export type WorldName = keyof typeof WORLDS;
