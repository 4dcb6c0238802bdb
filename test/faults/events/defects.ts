/** Workers with a defect each, for what the run of events has to find. */
import type { Planted } from "../../simulation/planted/edits.ts";

const READER = "src/sync/push/queue-reader.ts";

export const DELETES_AT_ONCE: Planted = {
  id: "deletes-at-once",
  what: "messages are deleted when they are received, and lost with their leader",
  edits: [{ file: READER, find: "if (receipts > MOST_RECEIPTS) this.#finish(id, message);", replace: "this.#finish(id, message);" }],
};

export const FORGETS: Planted = {
  id: "forgets",
  what: "messages of which nobody names the object are kept, classes that were looked at are not enqueued again, keys have no budget",
  edits: [
    {
      file: READER,
      find: "if (message.waits === 0) this.#finish(id, message);\n  }\n\n  #act",
      replace: 'if (message.waits === 0 && outcome !== "unnamed") this.#finish(id, message);\n  }\n\n  #act',
    },
    {
      file: "src/sync/push/hints.ts",
      find: "if (!isSame) this.#options.enqueue(classKey);",
      replace: "if (!isSame && !this.#paces.has(classKey)) this.#options.enqueue(classKey);",
    },
    {
      file: "src/domain/schedule/vault-pressure.ts",
      find: "const KEYS: BucketLimits = { perSecond: 20, burst: 50 };",
      replace: "const KEYS: BucketLimits = { perSecond: 200, burst: 500 };",
    },
  ],
};
