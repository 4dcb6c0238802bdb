export interface Size {
  readonly teams: number;
  readonly classes: number;
  /** Number of additional teams, with one class each. */
  readonly solitary: number;
  /** Share of the other teams that have an only mounted class, and a workload that mounts it. */
  readonly mounted: number;
  readonly objects: number;
  readonly replicas: number;
  /** Share of the teams whose application may list its vault. */
  readonly listers: number;
  /** Frequency of optional parts of a world, such as a greedy tenant: 1 is the usual share of the worlds, 0 is none. */
  readonly oddities: number;
  /** Share of the worlds whose worker reads vault events from a queue. */
  readonly eventQueues: number;
  /** Share of the worlds whose worker may have shards. */
  readonly shards: number;
  /** Whether all worlds have the product's own leases and probes. Otherwise, most worlds have slower ones. */
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

/** Shows most of the problems that the usual size shows, in a third of the time. */
export const SMALL: Size = { ...USUAL, teams: 3, classes: 12, solitary: 2, objects: 6 };

/**
 * `crowd`: the usual size, always at the product's own pace. `events`: the worker reads events from a queue in each world, and not only in
 * every other one. `odd`: parts that usually one world in three has, such as a limit of restarts in the cluster, are in each world.
 * `shards`: the worker may have shards in each world, and not only in every other one.
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
