import { EmulatorInputError } from "../input-error.ts";
import type { EventRecord } from "../queues/event-log.ts";
import type { World } from "../world.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

export interface EventMethods {
  /** Routes `<account>.queue.core.windows.net`, and the names in other clouds, to an emulator of queues on loopback. */
  addStorageAccount(input: Input<"addStorageAccount">): Promise<void>;
  /** Delivers an event for each new version of the vault's objects into the queue, in Event Grid's form. */
  subscribeEvents(input: Input<"subscribeEvents">): Promise<void>;
  unsubscribeEvents(input: Input<"unsubscribeEvents">): Promise<void>;
  /**
   * Returns the new versions of all vaults, or those after the record numbered `after`, with the times at which queues got their events.
   */
  events(input?: Input<"events">): Promise<readonly EventRecord[]>;
}

export function eventMethods({ vaults, accounts, events }: World): EventMethods {
  return {
    addStorageAccount: async (input) => {
      const { account: name, port, users } = parseInput(inputs.addStorageAccount, input);
      accounts.add({ name, port, users: users === undefined ? undefined : new Set(users) });
    },
    subscribeEvents: async (input) => {
      const subscription = parseInput(inputs.subscribeEvents, input);
      if (accounts.find(subscription.account) === undefined)
        throw new EmulatorInputError(`account: no storage account ${subscription.account}; add it first`);
      events.subscribe({ ...subscription, vault: vaults.require(subscription.vault).name });
    },
    unsubscribeEvents: async (input) => {
      events.unsubscribe(parseInput(inputs.unsubscribeEvents, input).vault);
    },
    events: async (input) => events.log.list(parseInput(inputs.events, input ?? {}).after),
  };
}
