/** Possible defects of the event queue's reader. */
import type { Planted } from "./edits.ts";

const HINTS = "src/sync/push/hints.ts";
const QUEUE_READER = "src/sync/push/queue-reader.ts";

const ARRIVES = "the version that an event tells of is in its Secrets soon, however far their poll is";
const ENDS = "no message of the event queue comes without end, and at rest it is empty";
const LEADER = "the leader alone reads the event queue";

export const EVENT_DEFECTS: readonly Planted[] = [
  {
    id: "E1",
    world: "events",
    shownBy: [ARRIVES],
    what: "a second version of an object counts as the event that was acted on before",
    edits: [
      {
        file: HINTS,
        find: "  return JSON.stringify([classKey, object, change, version ?? null, happenedAt]);",
        replace: "  return JSON.stringify([classKey, object, change, version === undefined, happenedAt < 0]);",
      },
    ],
  },
  {
    id: "E2",
    world: "events",
    shownBy: [ENDS],
    what: "an event of a version that the vault never shows is looked after for ever",
    edits: [
      {
        file: HINTS,
        find: "    const wait = NEXT_CHECKS_MS[hint.checks];",
        replace: "    const wait = NEXT_CHECKS_MS[hint.checks] ?? NEXT_CHECKS_MS[2];",
      },
      {
        file: HINTS,
        find: "if (Math.abs(now - hint.receivedAt) >= LONGEST_MS) this.end(",
        replace: "if (Math.abs(now - hint.receivedAt) >= 1_000 * LONGEST_MS) this.end(",
      },
    ],
  },
  {
    id: "E3",
    world: "events",
    shownBy: [ARRIVES],
    what: "an event of a certificate does not reach classes that name its secret or its key",
    edits: [
      {
        file: "src/domain/vault-events/parse-message.ts",
        find: `  Certificate: ["cert", "secret", "key"],`,
        replace: `  Certificate: ["cert"],`,
      },
    ],
  },
  {
    id: "E4",
    world: "events",
    shownBy: [ARRIVES, ENDS],
    what: "after a queue was away its reader comes back hours later",
    edits: [{ file: QUEUE_READER, find: "maxMs: 60_000 };", replace: "maxMs: 86_400_000 };" }],
  },
  {
    id: "E5",
    world: "events",
    what: "a queue that is away ends the worker",
    edits: [
      {
        file: QUEUE_READER,
        find: "        waitMs = this.#failed(error);",
        replace: "        waitMs = this.#failed(error);\n        if (waitMs > 5_000) throw error;",
      },
    ],
  },
  {
    id: "E6",
    world: "events",
    shownBy: [ENDS],
    what: "a message whose receipt has changed meanwhile is deleted by the old one, and comes again for ever",
    edits: [
      { file: QUEUE_READER, find: "      known.receipt = receipt;\n", replace: "" },
      {
        file: QUEUE_READER,
        find: `if (status === "fulfilled") this.#done.delete(`,
        replace: `if (status === "rejected") this.#done.delete(`,
      },
    ],
  },
  {
    id: "E7",
    world: "events",
    shownBy: [LEADER],
    what: "replicas that do not lead read the event queue, too",
    edits: [
      {
        file: "src/sync/compose.ts",
        find: "    await election.run(async (leading, term) => {",
        replace: `    if (config.eventQueues.length > 0) {
      const reading = { settings: config.eventQueues, kube, namespace: config.namespace, metrics: createPushMetrics(createRegistry("")) };
      const queues = await openEventQueues(config);
      const idle = createPush({ ...reading, queues, clock, logger, random: Math.random }).start(() => undefined);
      const classes = { classes: { get: () => undefined, lost: () => [] }, isFetched: () => false, noteUnfetched: () => undefined, hasOtherShards: false, refusedObjects: () => 0, cloud: { cloudName: "" }, isReady: () => true };
      idle.run(classes, signal).catch(() => undefined);
    }
    await election.run(async (leading, term) => {`,
      },
    ],
  },
  {
    id: "S19",
    shownBy: [ARRIVES],
    what: "a look for an event believes what was refused of the same Secret before the event",
    edits: [
      {
        file: "src/sync/vault/version-check.ts",
        find: "if (hints.isAccessChanged || isNeededForHint(object)) {",
        replace: "if (hints.isAccessChanged || (hints.since === 0 && isNeededForHint(object))) {",
      },
    ],
  },
  {
    id: "S20",
    world: "odd",
    shownBy: [ARRIVES],
    what: "an event about a class that was lost with its CRD is deleted before the class is restored",
    edits: [
      {
        file: "src/sync/classes/lost-classes.ts",
        find: "taken.crdUid !== crd.crdUid) yield",
        replace: `taken.crdUid === "") yield`,
      },
    ],
  },
];
