import type { HostileWorld } from "./world.ts";

/** Kind of an attack. One attack of each kind also runs on the previous version, in which it must hurt the victim. */
export type Kind =
  | "bytes that never come"
  | "floods"
  | "somebody else's vault"
  | "failing sign-ins"
  | "hanging vaults"
  | "work for the CPU"
  | "a vault's budget"
  | "lying vaults"
  | "slow writes";

export interface Attack {
  /** Name in the report: the attacker and the action. */
  readonly name: string;
  readonly kind: Kind;
  /** Whether the attack also runs on the previous version, in which it must hurt the victim. */
  readonly isControl?: boolean;
  /** Starts the attack. Resolves when it is in progress. */
  start(world: HostileWorld): Promise<Strike>;
}

export interface Strike {
  /** One sentence that proves the attack, from a source that is not ours. Undefined if it is not in progress. */
  evidence(): Promise<string | undefined> | string | undefined;
  /** Ends the attack, and removes its traces. */
  stop(): Promise<void>;
}
