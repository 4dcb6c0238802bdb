/**
 * Defects that the worker once had, put back into today's code. C1 to C11 were found by a review of 0.3.0, S1 to S20 by the simulation. A
 * change of the code that an edit replaces must also rewrite the edit, so that the defect stays the same.
 */
import { CONTROL_DEFECTS } from "./control-defects.ts";
import type { Planted } from "./edits.ts";
import { EVENT_DEFECTS } from "./event-defects.ts";
import { MOUNT_DEFECTS } from "./mount-defects.ts";
import { SHARD_DEFECTS } from "./shard-defects.ts";
import { STATUS_DEFECTS } from "./status-defects.ts";

const KNOWN_FILES = "src/sync/vault/known-files.ts";
const STORED_VERSIONS = "src/sync/vault/stored-versions.ts";
const PLAN_FETCH = "src/sync/classes/plan-fetch.ts";
const CLASS_STATE = "src/sync/classes/state.ts";

export const DEFECTS: readonly Planted[] = [
  {
    id: "C1",
    what: "a held version is compared with whichever entry of the class names the same object first",
    edits: [
      {
        file: KNOWN_FILES,
        find: `    return source !== undefined && source.at > (blank?.at ?? -1) ? source.version : undefined;
`,
        replace: `    const versions = [...known.values()].flatMap((state) => (state?.kind === "found" ? state.versions : []));
    const first = versions.find(({ object }) => object === heldObject);
    return first ?? (source !== undefined && source.at > (blank?.at ?? -1) ? source.version : undefined);
`,
      },
      {
        file: STORED_VERSIONS,
        find: `        if (held !== undefined && maker !== undefined) made.push([maker, held]);
`,
        replace: `        if (held !== undefined && maker !== undefined)
          made.push(...objects.filter((object) => objectIdOf(object) === held.object).map((object) => [object, held] as const));
`,
      },
    ],
  },
  {
    id: "C2",
    what: "a token source that is silent counts as the vault's silence",
    edits: [
      {
        file: "src/sync/vault/vault-gate.ts",
        find: `    if (error.origin !== "vault") return this.#unasked(call, request, error);`,
        replace: `    if (error.origin === "own") return this.#unasked(call, request, error);`,
      },
    ],
  },
  {
    id: "C3",
    world: "crowd",
    what: "renewals of the lease wait for a connection behind slow writes, which have no limit",
    edits: [
      { file: "src/kube/config.ts", find: "const REQUEST_CONNECTIONS = 56;", replace: "const REQUEST_CONNECTIONS = 16;" },
      {
        file: "src/kube/transport.ts",
        find: `options.isUrgent === true ? "urgent" : "requests"`,
        replace: `options.isUrgent === true ? "requests" : "requests"`,
      },
      { file: "src/sync/compose.ts", find: "const WRITES_AT_A_TIME = 32;", replace: "const WRITES_AT_A_TIME = 1_000;" },
    ],
  },
  {
    id: "C4",
    what: "a request for a token that is never answered is waited for until the process ends",
    edits: [
      {
        file: "src/azure/guarded-sign-in.ts",
        find: "        }, boundMs);",
        replace: "        }, 80_000 * boundMs);",
      },
      {
        file: "src/azure/credential.ts",
        find: "    requestBoundPolicy(timeoutMs),",
        replace: "    requestBoundPolicy(timeoutMs * 50_000),",
      },
    ],
  },
  {
    id: "C6",
    what: "a list of a vault whose connection was reset passes as complete",
    edits: [
      {
        file: "src/azure/bounded-request.ts",
        find: `import { boundedCall } from "./bounded-call.ts";
`,
        replace: `import { boundedCall } from "./bounded-call.ts";
import { networkCode } from "./service-answer.ts";
`,
      },
      {
        file: "src/azure/bounded-request.ts",
        find: "    return await boundedCall(call, timeoutMs, signal);",
        replace: `    const withFreshConnection = async (abortSignal: AbortSignal): Promise<T> => {
      try {
        return await call(abortSignal);
      } catch (error) {
        if (networkCode(error) !== "ECONNRESET") throw error;
        return call(abortSignal);
      }
    };
    return await boundedCall(withFreshConnection, timeoutMs, signal);`,
      },
      {
        file: "src/azure/vault-client.ts",
        find: `    network.freshConnection,
`,
        replace: "",
      },
    ],
  },
  {
    id: "C7",
    what: "a shorter poll interval takes effect only at the old poll",
    edits: [
      {
        file: CLASS_STATE,
        find: "  const nextPoll = state.interval === interval ? state.nextPoll : Math.min(state.nextPoll, pollAfter(state.phase, interval, now));",
        replace: "  const nextPoll = state.nextPoll === 0 ? pollAfter(state.phase, interval, now) : state.nextPoll;",
      },
    ],
  },
  {
    id: "C8",
    what: "a check time that a clock ahead has stored is believed",
    edits: [
      {
        file: "src/domain/sync/stored-time.ts",
        find: "  if (time <= now) return time;",
        replace: "  if (!Number.isNaN(time)) return time;",
      },
    ],
  },
  {
    id: "C9",
    // In the other worlds, events often make the worker check the class before its poll.
    world: "shards",
    what: "a poll that falls into a change of leader is skipped",
    edits: [
      {
        file: CLASS_STATE,
        find: "const due = firstPoll(polls);",
        replace: "const due = facts.lastSuccess === undefined ? firstPoll(polls) : pollAfter(phase, interval, now);",
      },
    ],
  },
  {
    id: "C10",
    what: "the fence goes by a clock that stands while the machine sleeps, and a write has no version as its precondition",
    edits: [
      {
        file: "src/kube/lease-store.ts",
        find: "    return clock.elapsed?.() ?? clock.now();",
        replace: "    return clock.now();",
      },
      {
        file: "src/domain/sync/secret-plan.ts",
        find: `export type Onto = Pick<ObservedSecret, "uid" | "resourceVersion">;`,
        replace: `export type Onto = Pick<ObservedSecret, "uid"> & { readonly resourceVersion?: string };`,
      },
      {
        file: "src/domain/sync/secret-plan.ts",
        find: `export function ontoOf({ uid, resourceVersion }: ObservedSecret): Onto {
  return { uid, resourceVersion };`,
        replace: `export function ontoOf({ uid }: ObservedSecret): Onto {
  return { uid };`,
      },
    ],
  },
  {
    id: "C11",
    what: "the grace of a class without pods counts across a gap in the watch of pods",
    edits: [
      {
        file: PLAN_FETCH,
        find: "  const since = Math.max(state.unusedSince ?? now, Math.min(unbrokenSince, now));",
        replace: "  const since = Math.min(state.unusedSince ?? now, Math.max(unbrokenSince, now));",
      },
    ],
  },
  {
    id: "U1",
    what: "a class that no pod uses keeps its Secrets",
    shownBy: ["at rest every Secret is what its class and its vault say"],
    edits: [
      {
        file: "src/sync/classes/preconditions.ts",
        find: "return !caches.consumers.isUsed(key);",
        replace: "return caches.consumers.isUsed(key);",
      },
    ],
  },
  {
    id: "S1",
    what: "a Secret counts as up to date although it was written from what its class was before an edit",
    edits: [
      {
        file: "src/sync/classes/spec-hash.ts",
        find: `.digest("hex").slice(0, 16);`,
        replace: `.digest("hex").slice(0, 0);`,
      },
    ],
  },
  {
    id: "S2",
    what: "the failure that a status names first depends on which object was asked for at the poll",
    edits: [
      {
        file: "src/sync/vault/vault-mirror.ts",
        find: ".sort((a, b) => placeOf(a) - placeOf(b));",
        replace: ".sort((a, b) => 0 * (placeOf(a) - placeOf(b)));",
      },
    ],
  },
  {
    id: "S3",
    what: "the grace of a class without pods ends while the watch of pods is broken",
    edits: [
      {
        file: PLAN_FETCH,
        find: "  if (!isFollowed) return",
        replace: "  if (!isFollowed && since < 0) return",
      },
    ],
  },
  {
    id: "S4",
    what: "a class that was made again, and not handed over to its owners, stays the worker's",
    edits: [
      {
        file: "src/domain/healing/field-owners.ts",
        find: "  return entries.some((entry) => isOf(manager, entry));",
        replace: "  return entries.length < 0 && entries.some((entry) => isOf(manager, entry));",
      },
    ],
  },
  {
    id: "S5",
    what: "a candidate counts a lease's time anew after each read that fails",
    edits: [
      {
        file: "src/kube/lease-search.ts",
        find: "      const found = read.filter((each) => each !== undefined);",
        replace: `      const found = read.filter((each) => each !== undefined);
      for (const [index, each] of names.entries()) if (read[index] === undefined) this.#seen.delete(each);`,
      },
    ],
  },
  {
    id: "S6",
    shownBy: ["no vault is asked for more than its budget"],
    what: "the budget of a vault goes by a clock that catches up at twice the pace of real time",
    edits: [
      {
        file: "src/sync/vault/vault-budget.ts",
        find: "clock: monotonicClock(clock) };",
        replace: "clock: clock.now() < 0 ? monotonicClock(clock) : clock };",
      },
    ],
  },
  {
    id: "S7",
    shownBy: ["a replica ends only where it is told to, or has lost its lease"],
    what: "a stop that comes before the API server has answered is an error",
    edits: [{ file: "src/sync/compose.ts", find: "    if (signal.aborted) return false;\n", replace: "" }],
  },
  {
    id: "S8",
    shownBy: ["no vault is asked for more than its budget"],
    what: "whatever connection is reset, its request is sent twice, past the budget of the vault",
    edits: [{ file: "src/azure/fresh-connection.ts", find: "    if (taken.waitMs > 0) return false;\n", replace: "" }],
  },
  {
    id: "S11",
    shownBy: ["a class whose own identity, vault and API answers work is checked"],
    what: "what serves the retry of a poll is counted from the retry, and not from the poll",
    edits: [{ file: PLAN_FETCH, find: "isOfPoll ? pollFor", replace: `isOfPoll && trigger !== "RetryDue" ? pollFor` }],
  },
  {
    id: "S12",
    shownBy: ["no vault is asked for more than its budget"],
    what: "a replica that stood still asks vaults although another one leads by then",
    edits: [
      {
        file: "src/sync/vault/vault-gate.ts",
        find: "    if (this.#options.leadership?.holdsLease() === false) {",
        replace: "    if (this.#options.leadership?.holdsLease() === undefined) {",
      },
    ],
  },
  {
    id: "S16",
    shownBy: ["restarts one at a time, none twice for one version"],
    what: "a restart whose new pods already have the next versions is done before they have stayed ready",
    edits: [
      {
        file: "src/sync/rollouts/with-pods.ts",
        find: `  if (isRestarted(workload)) return`,
        replace: `  if (isRestarted(workload) && standing.stamp === "") return`,
      },
    ],
  },
  {
    id: "S17",
    shownBy: ["restarts one at a time, none twice for one version"],
    what: "a restart is not proven while the versions of its workload are unknown, and the next one begins",
    edits: [
      {
        file: "src/sync/rollouts/with-pods.ts",
        find: `const isUnproven = versions.kind !== "known" &&`,
        replace: `const isUnproven = versions.kind !== "known" && versions.why === "" &&`,
      },
    ],
  },
  {
    id: "S18",
    shownBy: ["restarts one at a time, none twice for one version"],
    what: "a restart whose answer was lost is put off as if it had not begun, and the next one begins",
    edits: [
      {
        file: "src/sync/rollouts/unanswered.ts",
        find: `memory.of(each).unanswered !== undefined)`,
        replace: `memory.of(each).unanswered?.basedOn === "")`,
      },
    ],
  },
  ...EVENT_DEFECTS,
  ...SHARD_DEFECTS,
  ...MOUNT_DEFECTS,
  ...CONTROL_DEFECTS,
  ...STATUS_DEFECTS,
];
