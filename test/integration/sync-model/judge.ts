import { effectOf, partsOf, type Step } from "./effects.ts";
import { type ModelSecret, type ModelState, type Rules, settled } from "./specification.ts";

/** The visible parts of a Secret, without the value of the fingerprint. */
export type SeenSecret = Omit<ModelSecret, "ours">;
export type Seen = ReadonlyMap<string, SeenSecret>;

/** One burst of operations, and the content of the namespace at rest afterwards. */
export interface Episode {
  readonly steps: readonly Step[];
  readonly seen: Seen;
}

/**
 * Returns the states in which the burst may end. The worker may or may not have finished between two requests. After the last one, it must
 * have finished.
 */
export function outcomesOf(before: ModelState, steps: readonly Step[], rules: Rules): readonly ModelState[] {
  let states: readonly ModelState[] = [before];
  let isFirst = true;
  for (const step of steps) {
    for (const part of partsOf(states[0] ?? before, step)) {
      const met = isFirst ? states : states.flatMap((state) => [state, settled(state, rules)]);
      states = met.map((state) => effectOf(state, part));
      isFirst = false;
    }
  }
  return states.map((state) => settled(state, rules));
}

export type Verdict =
  /** The observed state. The comparison handles Secrets one by one, as the worker does. */
  { readonly kind: "allowed"; readonly state: ModelState } | { readonly kind: "different"; readonly differences: readonly string[] };

export function judge(outcomes: readonly ModelState[], seen: Seen): Verdict {
  const [first] = outcomes;
  if (first === undefined) return { kind: "different", differences: ["no outcome"] };
  const secrets = new Map<string, ModelSecret>();
  const differences: string[] = [];
  for (const name of namesIn(outcomes, seen)) {
    const live = seen.get(name);
    const match = outcomes.find(({ secrets: allowed }) => textOf(allowed.get(name)) === textOf(live));
    const found = match?.secrets.get(name);
    if (match === undefined) differences.push(difference(name, outcomes, live));
    else if (found !== undefined) secrets.set(name, found);
  }
  return differences.length > 0 ? { kind: "different", differences } : { kind: "allowed", state: { ...first, secrets } };
}

/** Returns the first difference between the observations and these rules. Undefined if there is none. */
export function firstDifference(start: ModelState, episodes: readonly Episode[], rules: Rules): readonly string[] | undefined {
  let state = start;
  for (const { steps, seen } of episodes) {
    const verdict = judge(outcomesOf(state, steps, rules), seen);
    if (verdict.kind === "different") return verdict.differences;
    state = verdict.state;
  }
  return undefined;
}

function namesIn(outcomes: readonly ModelState[], seen: Seen): readonly string[] {
  return [...new Set([...seen.keys(), ...outcomes.flatMap(({ secrets }) => [...secrets.keys()])])].sort();
}

function difference(name: string, outcomes: readonly ModelState[], live: SeenSecret | undefined): string {
  const allowed = [...new Set(outcomes.map(({ secrets }) => textOf(secrets.get(name))))];
  return `Secret ${name}: there is ${textOf(live)}; the specification allows ${allowed.join(", or ")}`;
}

export function textOf(secret: SeenSecret | undefined): string {
  if (secret === undefined) return "nothing";
  const { type, isImmutable, data, labels, annotations } = secret;
  return JSON.stringify({ type, isImmutable, data: sorted(data), labels: sorted(labels), annotations: sorted(annotations) });
}

function sorted(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
