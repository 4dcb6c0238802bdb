import { eventually } from "../../support/time/eventually.ts";
import { effectOf, type Step } from "./effects.ts";
import { type Episode, judge, outcomesOf, type Seen, textOf } from "./judge.ts";
import type { Lists } from "./observe.ts";
import { type Burst, CLASS_NAMES, OBJECT_NAMES, type Operation, type Plan } from "./operations.ts";
import { askAll, perform, podsAreAdmitted, type Stage } from "./perform.ts";
import { isManaged, type ModelState, SPECIFICATION } from "./specification.ts";

/** One poll, one retry, and reserve for a busy machine, in milliseconds. */
const QUIET_WITHIN_MS = 45_000;

/** The worker delays all repairs of one class after the third within a minute, so the test spreads the damages. In milliseconds. */
const REPAIR_WINDOW_MS = 70_000;
const REPAIRS_AT_ONCE = 2;

export interface PlanRun {
  readonly namespace: string;
  readonly start: ModelState;
  readonly episodes: readonly Episode[];
  /** Observations of the last episode that the specification does not allow. */
  readonly differences: readonly string[];
}

export interface RunOptions {
  readonly stage: Stage;
  readonly lists: Lists;
}

/** Executes the plan in a namespace and compares the result with the specification after each burst. Stops at the first difference. */
export async function runPlan(options: RunOptions, plan: Plan): Promise<PlanRun> {
  const { stage } = options;
  const start = await begin(stage);
  const damage = new Damage();
  const episodes: Episode[] = [];
  let state = start;
  const made: Burst = plan.classes.map((wanted, index) => ({ kind: "write the class", name: CLASS_NAMES[index] ?? "ant", wanted }));
  for (const burst of [made, ...plan.bursts]) {
    const { steps, outcomes } = await act(stage, state, { burst, damage });
    const { seen, verdict } = await check(options, { state, outcomes });
    episodes.push({ steps, seen });
    if (verdict.kind === "different") return { namespace: stage.namespace, start, episodes, differences: verdict.differences };
    state = verdict.state;
  }
  const { seen, verdict } = await check(options, { state, outcomes: outcomesOf(state, [], SPECIFICATION) });
  episodes.push({ steps: [], seen });
  return { namespace: stage.namespace, start, episodes, differences: verdict.kind === "different" ? verdict.differences : [] };
}

async function begin(stage: Stage): Promise<ModelState> {
  await podsAreAdmitted(stage);
  const { emulator, vault } = stage.world;
  const objects = await Promise.all(
    OBJECT_NAMES.map(async (name) => {
      const value = stage.unique();
      const { version } = await emulator.setSecret({ vault, name: `${stage.namespace}-${name}`, value });
      return [name, { value, version, state: "enabled" as const }] as const;
    }),
  );
  return { objects: new Map(objects), classes: new Map(), used: new Set(), secrets: new Map() };
}

interface Act {
  readonly burst: Burst;
  readonly damage: Damage;
}

async function act(stage: Stage, before: ModelState, { burst, damage }: Act) {
  const steps: Step[] = [];
  let state = before;
  for (const operation of burst) {
    if (!damage.isBearable(before, operation)) continue;
    const step = await perform(stage, state, operation);
    if (step === undefined) continue;
    steps.push(step);
    state = effectOf(state, step);
  }
  return { steps, outcomes: outcomesOf(before, steps, SPECIFICATION) };
}

interface Expectation {
  readonly state: ModelState;
  readonly outcomes: readonly ModelState[];
}

/**
 * Waits until the observed state is allowed. If several states are allowed, or nothing should change, a match proves nothing about the
 * worker. In this case, makes the worker check every class first.
 */
async function check({ stage, lists }: RunOptions, { state, outcomes }: Expectation) {
  const texts = new Set(outcomes.map(({ secrets }) => [...secrets].map(([name, secret]) => name + textOf(secret)).join()));
  const [first] = outcomes;
  const isTelling = texts.size === 1 && !texts.has([...state.secrets].map(([name, secret]) => name + textOf(secret)).join());
  if (!isTelling && first !== undefined) await allLookedAt({ stage, lists }, first);
  let seen: Seen = new Map();
  const allowed = async () => {
    seen = await lists.secrets(stage.namespace);
    return judge(outcomes, seen).kind === "allowed";
  };
  await eventually(allowed, { within: QUIET_WITHIN_MS, every: 0 }).catch(() => undefined);
  return { seen, verdict: judge(outcomes, seen) };
}

/**
 * Waits until the worker has checked all classes. A check writes the snapshot first, and the checks of a class never overlap: a new
 * snapshot means that the previous check has ended.
 */
async function allLookedAt({ stage, lists }: RunOptions, state: ModelState): Promise<void> {
  const { namespace } = stage;
  const refresh = await askAll(stage, state);
  const active = [...state.classes.values()].filter(
    ({ provider, sync, wanted, name }) =>
      provider === "azure" && wanted.length > 0 && (sync === "always" || (sync === "while-used" && state.used.has(name))),
  );
  await eventually(
    async () => {
      const snapshots = (await lists.snapshots(namespace)).filter((revision) => JSON.stringify(revision).includes(refresh));
      if (snapshots.length < state.classes.size) return false;
      const reported = await lists.statuses(namespace);
      const answered = new Set(reported.filter(({ status }) => status?.observedRefresh === refresh).map(({ metadata }) => metadata.name));
      return active.every(({ name }) => answered.has(name));
    },
    { within: QUIET_WITHIN_MS, every: 0, what: `a look at every class of ${namespace}` },
  );
}

const DAMAGING: readonly Operation["kind"][] = [
  "write into the Secret",
  "remove from the Secret",
  "delete the Secret",
  "make the Secret immutable",
  "take the label off",
];

/** Limits damages: a user who damages a Secret after each repair has another test. Here no user does. */
class Damage {
  readonly #times = new Map<string, readonly number[]>();

  isBearable({ secrets }: ModelState, operation: Operation): boolean {
    if (!("secret" in operation) || !DAMAGING.includes(operation.kind)) return true;
    const live = secrets.get(operation.secret);
    if (live === undefined || !isManaged(live)) return true;
    const owner = live.annotations["keyvault-injector.dev/class"] ?? "";
    const now = performance.now();
    const recent = (this.#times.get(owner) ?? []).filter((time) => now - time < REPAIR_WINDOW_MS);
    if (recent.length >= REPAIRS_AT_ONCE) return false;
    this.#times.set(owner, [...recent, now]);
    return true;
  }
}
