import type { HostileWorld } from "./world.ts";

/** What an attack is about. Of each kind one is also run on the version before, where the victim has to be hurt. */
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
  /** As the report has it: who does what. */
  readonly name: string;
  readonly kind: Kind;
  /** Also run on the version before, which has to be hurt by it. */
  readonly isControl?: boolean;
  /** Begins it; resolves when it is under way. */
  start(world: HostileWorld): Promise<Strike>;
}

export interface Strike {
  /** That it is really going on, by a sign that is not ours: one sentence. Undefined: it is not. */
  evidence(): Promise<string | undefined> | string | undefined;
  /** Ends it and takes away what it left. */
  stop(): Promise<void>;
}
