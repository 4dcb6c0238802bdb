import type { EventObject, EventSchema } from "../../../tools/key-vault-emulator/queues/event-form.ts";
import type { Random } from "../../support/fixtures/random.ts";

/** Shares of all events: second copies, as Event Grid may deliver them, and messages on which the worker must not act. */
export const DUPLICATES = 0.2;
export const MALFORMED = 0.05;

/** Longest delay of a message in milliseconds: reordered ones, and second copies. */
const REORDERED_MS = 4_000;
const COPIED_MS = 25_000;

/** One step of a phase. */
export type Step =
  /** A new version of an object, and the delay in milliseconds of each copy of its event. */
  | {
      readonly kind: "rotation";
      readonly at: number;
      readonly object: number;
      readonly schema: EventSchema;
      readonly deliveries: readonly number[];
    }
  /** A message that is not the event of a version. The serial number selects its kind. */
  | { readonly kind: "noise"; readonly at: number; readonly serial: number };

export type ObjectKind = Extract<EventObject, "Secret" | "Key">;

export interface PhaseSize {
  /** Total number of delivered messages. */
  readonly events: number;
  /** Time in milliseconds over which the steps are spread. */
  readonly lengthMs: number;
  /** One in this number of objects is a key, because a vault allows far fewer requests for keys. */
  readonly keyEvery: number;
}

export interface PhasePlan {
  /** In the order of their times. */
  readonly steps: readonly Step[];
  /**
   * Kinds of the phase's objects, by their numbers. Half of them change only once, so that no later change hides a loss. The others change
   * three times on average.
   */
  readonly objects: readonly ObjectKind[];
  readonly duplicates: number;
  readonly noise: number;
}

export function planPhase({ events, lengthMs, keyEvery }: PhaseSize, random: Random): PhasePlan {
  const duplicates = Math.round(events * DUPLICATES);
  const noise = Math.round(events * MALFORMED);
  const rotations = events - duplicates - noise;
  // In a storm, every object changes once, so that no change can hide another.
  const objects = lengthMs < REORDERED_MS ? rotations : Math.ceil(rotations / 2);
  const moment = (): number => random.integer(0, lengthMs);
  const copies = Array.from({ length: rotations }, () => 1);
  for (let copy = 0; copy < duplicates; copy += 1) {
    const index = random.integer(0, rotations - 1);
    copies[index] = (copies[index] ?? 0) + 1;
  }
  const changes = copies.map((count, index): Step => {
    const object = index < objects ? index : random.integer(0, Math.floor(objects / 2));
    const schema = random.pick(["eventGrid", "cloudEvents"] as const);
    return { kind: "rotation", at: moment(), object, schema, deliveries: delays(count, random) };
  });
  const noises = Array.from({ length: noise }, (_, serial): Step => ({ kind: "noise", at: moment(), serial }));
  return {
    steps: [...changes, ...noises].sort((a, b) => a.at - b.at),
    objects: Array.from({ length: objects }, (_, index) => (index % keyEvery === 0 ? "Key" : "Secret")),
    duplicates,
    noise,
  };
}

function delays(copies: number, random: Random): readonly number[] {
  const first = random.integer(0, random.chance(0.3) ? REORDERED_MS : 200);
  return [first, ...Array.from({ length: copies - 1 }, () => random.integer(0, COPIED_MS))];
}
