import { REFUSALS, type RefusalName } from "../network/refusals.ts";
import { type Command, type Invocation, required, textFlag, UsageError, wholeNumber } from "./command.ts";

/** Commands for throttling and faults. */
export const disturbanceCommands: readonly Command[] = [
  {
    name: "budget",
    arguments: ["VAULT", "[TRANSACTIONS]", "[SECONDS]"],
    options: { "retry-after": { type: "string" } },
    help: "answer 429 beyond so many requests in so many seconds [--retry-after SECONDS]; without numbers, no limit",
    run: async (call) => {
      const vault = required(call, 0);
      if (call.arguments.length === 1) {
        await call.emulator.clearBudget({ vault });
        return `no limit on ${vault}`;
      }
      const [transactions, perSeconds] = [Number(required(call, 1)), Number(required(call, 2))];
      await call.emulator.setBudget({ vault, transactions, perSeconds, retryAfterSeconds: wholeNumber(call, "retry-after") });
      return `${transactions} requests in ${perSeconds} s on ${vault}`;
    },
  },
  {
    name: "fault",
    arguments: ["VAULT_OR_HOST", "KIND", "[VALUE]"],
    options: { times: { type: "string" }, path: { type: "string" }, "retry-after": { type: "string" } },
    help:
      "strike the next request: KIND is status (VALUE: 400 to 599), slow (VALUE: milliseconds), without (VALUE: a member of the " +
      `body, such as id or key.kid), refusal (VALUE: ${REFUSALS.join(", ")}), reset, truncated or contentType ` +
      "[--times N] [--path /secrets/NAME] [--retry-after SECONDS]",
    run: async (call) => {
      await call.emulator.injectFault({ ...targetOf(call), ...effectOf(call) });
      return `${required(call, 1)} on ${required(call, 0)}`;
    },
  },
  {
    name: "fault-clear",
    arguments: [],
    options: {},
    help: "forget the faults that have not struck yet",
    run: async ({ emulator }) => {
      await emulator.clearFaults();
      return "no faults";
    },
  },
];

/** A host name contains a dot, which a vault's name cannot contain. */
function targetOf(call: Invocation): object & ({ readonly host: string } | { readonly vault: string }) {
  const name = required(call, 0);
  const common = { times: wholeNumber(call, "times"), path: textFlag(call, "path") };
  return name.includes(".") ? { ...common, host: name } : { ...common, vault: name };
}

type Effect =
  | { readonly kind: "reset" | "truncated" | "contentType" }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "refusal"; readonly refusal: RefusalName }
  | { readonly kind: "slow"; readonly milliseconds: number }
  | { readonly kind: "without"; readonly member: string };

function refusalIn(name: string): RefusalName {
  const refusal = REFUSALS.find((known) => known === name);
  if (refusal === undefined) throw new UsageError(`VALUE: use ${REFUSALS.join(" or ")}`);
  return refusal;
}

function effectOf(call: Invocation): Effect {
  const kind = required(call, 1);
  switch (kind) {
    case "reset":
    case "truncated":
    case "contentType":
      return { kind };
    case "status":
      return { kind, status: Number(required(call, 2)), retryAfterSeconds: wholeNumber(call, "retry-after") };
    case "slow":
      return { kind, milliseconds: Number(required(call, 2)) };
    case "refusal":
      return { kind, refusal: refusalIn(required(call, 2)) };
    case "without":
      return { kind, member: required(call, 2) };
    default:
      throw new UsageError("KIND: use status, slow, without, refusal, reset, truncated or contentType");
  }
}
