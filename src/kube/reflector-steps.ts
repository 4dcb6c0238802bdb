import { assertNever } from "../domain/assert-never.ts";
import type { KubeError } from "../domain/ports/kube-error.ts";
import { backoffDelay } from "../runtime/backoff.ts";

/** The next step of a reflector. */
export type ReflectorStep = { readonly kind: "list" } | { readonly kind: "watch"; readonly resourceVersion: string };

/** Result of the last step. `resourceVersion` is the version that a watch reached. */
export type StepOutcome =
  | { readonly kind: "listed"; readonly resourceVersion: string }
  /** The server or one of our own timers ended a working watch. */
  | { readonly kind: "ended"; readonly resourceVersion: string; readonly wasUseful: boolean }
  /** The server no longer has the history that the watch needs. */
  | { readonly kind: "expired"; readonly wasUseful: boolean }
  /** The content of the stream makes no sense, or was an error of the server. */
  | { readonly kind: "broken"; readonly wasUseful: boolean }
  /** The server's versions went backwards: its store was restored from a backup. */
  | { readonly kind: "restored"; readonly wasUseful: boolean }
  /** A working watch received nothing for so long that at least a bookmark was due. */
  | { readonly kind: "silent" }
  | { readonly kind: "unserved" }
  /** `step` is the step to try again: for a watch, from the version that it reached. */
  | { readonly kind: "failed"; readonly step: ReflectorStep; readonly error: KubeError; readonly wasUseful: boolean }
  /** A caller requested a new list. */
  | { readonly kind: "relist" };

export interface Plan {
  readonly step: ReflectorStep;
  /** Milliseconds before the step. */
  readonly delayMs: number;
  /** Consecutive failures, including the last outcome. */
  readonly failures: number;
}

/** A failure may be a server that restarts: try again soon, then less often. */
const RETRY = { baseMs: 400, maxMs: 30_000 };

/** A CRD that heals is back within a second, and nothing works in the meantime. */
const UNSERVED_MS = { least: 500, most: 1_000 };

const LIST: ReflectorStep = { kind: "list" };

/** Determines the next step from the last outcome. `random` is in [0, 1). */
export function planAfter(outcome: StepOutcome, failures: number, random: () => number): Plan {
  switch (outcome.kind) {
    case "listed":
      // Not yet a success: if lists work and watches fail, lists must not become the retry loop.
      return { step: watchFrom(outcome.resourceVersion), delayMs: 0, failures };
    case "ended":
      return outcome.wasUseful
        ? { step: watchFrom(outcome.resourceVersion), delayMs: 0, failures: 0 }
        : retry(watchFrom(outcome.resourceVersion), failures + 1, random);
    case "silent":
      // A dead peer, or a server whose store was restored: such a server sends nothing until it reaches the version from before.
      return retry(LIST, failures + 1, random);
    case "expired":
    case "broken":
    case "restored":
      return retry(LIST, outcome.wasUseful ? 1 : failures + 1, random);
    case "unserved":
      return { step: LIST, delayMs: UNSERVED_MS.least + Math.round((UNSERVED_MS.most - UNSERVED_MS.least) * random()), failures: 0 };
    case "failed": {
      const plan = retry(outcome.step, outcome.wasUseful ? 1 : failures + 1, random);
      const { retry: wish } = outcome.error;
      return wish.kind === "after" ? { ...plan, delayMs: Math.max(plan.delayMs, wish.milliseconds) } : plan;
    }
    case "relist":
      return { step: LIST, delayMs: 0, failures };
    default:
      return assertNever(outcome);
  }
}

function watchFrom(resourceVersion: string): ReflectorStep {
  return { kind: "watch", resourceVersion };
}

function retry(step: ReflectorStep, failures: number, random: () => number): Plan {
  return { step, delayMs: backoffDelay(failures, RETRY, random), failures };
}
