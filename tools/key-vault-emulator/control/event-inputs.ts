import { z } from "zod";

import { EVENT_SCHEMAS } from "../queues/event-form.ts";
import { identifier, vaultName } from "./fields.ts";

/** https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name */
const accountName = z.string().regex(/^[a-z0-9]{3,24}$/, "3 to 24 lower-case letters and digits");
const queueName = z.string().regex(/^[a-z0-9](?:-?[a-z0-9]){2,62}$/, "3 to 63 lower-case letters, digits and single hyphens");

/** Inputs for storage accounts, and for the events that Event Grid delivers into their queues. */
export const eventInputs = {
  addStorageAccount: z.strictObject({
    account: accountName,
    port: z.number().int().positive("the port that its emulator serves HTTPS on"),
    /** Application ids. Without them, every application can use the queues. */
    users: z.array(identifier).optional(),
  }),
  subscribeEvents: z.strictObject({
    vault: vaultName,
    account: accountName,
    queue: queueName,
    schema: z.enum(EVENT_SCHEMAS).default("eventGrid"),
    delayMs: z.number().int().nonnegative("milliseconds").default(0),
  }),
  unsubscribeEvents: z.strictObject({ vault: vaultName }),
  events: z.strictObject({ after: z.number().int().nonnegative().optional() }),
};
