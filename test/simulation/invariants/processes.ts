/** Replicas do not show bugs of their own. */
import type { Line } from "../world/log.ts";
import type { Invariant } from "./invariant.ts";

/** Allowed reasons for the end of a replica: a signal to it, a machine that stands still, and the loss of its lease. */
const REASONS = [/^stopped\b/, /^killed\b/, /^retired\b/, /^LeaseLost\b/, /^not alive: (no answer|.*event loop)/s];

/** Errors of the language, which nothing outside the process causes. */
const OWN_ERRORS = [TypeError, RangeError, ReferenceError, SyntaxError];

export const replicasEndForReasons: Invariant = {
  name: "a replica ends only where it is told to, or has lost its lease",
  watch: (world, violated) => {
    world.onExit((name, why) => {
      if (!REASONS.some((reason) => reason.test(why))) violated(`${name} ended: ${why}`);
    });
  },
};

function isOwnError({ fields }: Line): boolean {
  return Object.values(fields).some((value) => {
    const causes = value instanceof Error ? [value, value.cause] : [];
    return causes.some((cause) => OWN_ERRORS.some((kind) => cause instanceof kind) || isOwnFault(cause));
  });
}

/** Whether the error is from a vault client, and the worker itself caused it. */
function isOwnFault(error: unknown): boolean {
  return error instanceof Error && "origin" in error && error.origin === "own";
}

export const noOwnErrors: Invariant = {
  name: "no replica logs an error of its own making",
  watch: (world, violated) => {
    world.log.onLine((line) => {
      if (!isOwnError(line)) return;
      violated(`${line.machine}: ${line.message}: ${Object.values(line.fields).find((value) => value instanceof Error)}`);
    });
  },
};
