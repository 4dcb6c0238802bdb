import { admissionBy } from "../api/policies.ts";
import { isGranted } from "../api/rights.ts";
import type { Lane } from "./lane.ts";
import { controllerBatch } from "./phases/controllers.ts";
import { definitionBatch } from "./phases/definitions.ts";
import { expiryBatch } from "./phases/expiry.ts";
import { definitionSetup } from "./phases/ground.ts";
import { installBatch } from "./phases/install.ts";
import { policyBatch } from "./phases/policies.ts";
import { randomBatch } from "./phases/random.ts";

export interface LaneSize {
  readonly seed: number;
  readonly batches: number;
  /** Operations per batch. */
  readonly length: number;
}

const noSetup = (): readonly [] => [];
/** Without lost deletions: it is random whether the real server loses track of a CRD that is deleted within a second of its creation. */
const ALONE = { controllerManager: false, lostDeletions: 0 } as const;
/** Delay in milliseconds of controllers on a busy machine. */
const LAG_MS = 30_000;
const CONTROLLED = { lostDeletions: 0 } as const;

/** Lanes for an API server without kube-controller-manager. */
export const LANES = {
  random: ({ seed, batches, length }: LaneSize): Lane => ({
    name: "random",
    batches,
    options: ALONE,
    setup: definitionSetup,
    batch: (index, group) => randomBatch(seed + index, { group, length }),
  }),
  definitions: ({ seed, batches, length }: LaneSize): Lane => ({
    name: "definitions",
    lagMs: LAG_MS,
    batches,
    options: ALONE,
    setup: noSetup,
    batch: (index) => definitionBatch(seed + index, { length }),
  }),
  policies: ({ seed, batches, length }: LaneSize): Lane => ({
    name: "policies",
    isUnique: true,
    batches,
    options: { ...ALONE, admit: admissionBy(), authorize: isGranted },
    setup: noSetup,
    batch: (index) => policyBatch(seed + index, { length }),
  }),
} as const;

/** Lanes for an API server with the controllers that the simulated server has. Its etcd is compacted every second. */
export const CONTROLLED_LANES = {
  controllers: ({ seed, batches, length }: LaneSize): Lane => ({
    name: "controllers",
    lagMs: LAG_MS,
    batches,
    options: CONTROLLED,
    setup: noSetup,
    batch: (index) => controllerBatch(seed + index, { length }),
  }),
  expiry: ({ seed, batches }: LaneSize): Lane => ({
    name: "expiry",
    batches,
    options: CONTROLLED,
    setup: noSetup,
    batch: (index) => expiryBatch(seed + index),
  }),
  install: (): Lane => ({ name: "install", lagMs: LAG_MS, batches: 1, options: CONTROLLED, setup: noSetup, batch: installBatch }),
} as const;
