/** Workers with one defect each, which the run of events must find. */
import type { Planted } from "../../simulation/planted/edits.ts";

const READER = "src/sync/push/queue-reader.ts";

export const LOSES: Planted = {
  id: "loses",
  what: "one message in sixteen is deleted and not acted on, keys are asked for ten times and counted once",
  edits: [
    {
      file: READER,
      find: "if (receipts > MOST_RECEIPTS) {",
      replace: 'if (id.startsWith("0")) return this.#finish(id, message);\n    if (receipts > MOST_RECEIPTS) {',
    },
    {
      file: "src/sync/vault/vault-budget.ts",
      find: 'get("key", () => client.getKey(name, version, signal), signal)',
      replace:
        'get("key", async () => (await Promise.all(Array.from({ length: 10 }, () => client.getKey(name, version, signal))))[0], signal)',
    },
  ],
};

export const FORGETS: Planted = {
  id: "forgets",
  what: "messages of which nobody names the object are kept, classes that were looked at are not enqueued again",
  edits: [
    {
      file: READER,
      find: "if (message.waits === 0) this.#finish(id, message);\n  }\n\n  async #act",
      replace: 'if (message.waits === 0 && outcome !== "unnamed") this.#finish(id, message);\n  }\n\n  async #act',
    },
    {
      file: "src/sync/push/hints.ts",
      find: "if (!isSame) this.#options.enqueue(classKey);",
      replace:
        "const once = (this.onces ??= new Set()); if (!isSame && !once.has(classKey)) this.#options.enqueue(classKey); once.add(classKey);",
    },
  ],
};
