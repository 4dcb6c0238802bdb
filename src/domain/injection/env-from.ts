import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { isDnsSubdomain } from "../kubernetes-names.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, readList } from "./annotation-value.ts";
import { type ContainerSelection, valueWithout } from "./container-selection.ts";
import type { ClassFact } from "./credentials.ts";
import type { Annotation, EffectiveAnnotations } from "./effective-annotations.ts";
import { denial, fill, fixFor, PROBLEMS, warning } from "./messages.ts";
import type { ContainerList, Pod, PodContainer } from "./pod.ts";
import type { InjectionSettings } from "./settings.ts";

export interface EnvFrom {
  readonly annotation: Annotation;
  readonly secrets: readonly string[];
}

/** Limits the additions of one annotation to every container. */
export const MOST_SECRETS = 32;

/** Returns undefined if the annotation does not exist. */
export function readEnvFrom(annotations: EffectiveAnnotations): Result<EnvFrom | undefined, Denial> {
  const annotation = annotations(POD_ANNOTATIONS.envFrom);
  if (annotation === undefined) return ok(undefined);
  const secrets = readList(annotation, PROBLEMS.secretList);
  if (!secrets.ok) return secrets;
  const bad = secrets.value.find((name) => !isDnsSubdomain(name));
  if (bad !== undefined) return failed(invalidAnnotation(annotation, fill(PROBLEMS.secretName, { item: quoted(bad) })));
  if (secrets.value.length <= MOST_SECRETS) return ok({ annotation, secrets: secrets.value });
  return failed(invalidAnnotation(annotation, fill(PROBLEMS.secretCount, { most: String(MOST_SECRETS) })));
}

export interface NewEnvFrom {
  readonly list: ContainerList;
  readonly index: number;
  readonly secret: string;
}

export interface EnvFromPlan {
  /** Missing entries. */
  readonly added: readonly NewEnvFrom[];
  readonly warnings: readonly string[];
}

export interface EnvFromInput {
  readonly pod: Pod;
  readonly selection: ContainerSelection;
  readonly envFrom: EnvFrom | undefined;
  readonly facts: ReadonlyMap<string, ClassFact>;
}

/**
 * Returns the missing `env-from` entries for a pod of these classes. The webhook cannot read Secrets, so it knows their variables only if a
 * class of this pod lists the keys. It denies known collisions.
 */
export function planEnvFrom(input: EnvFromInput, classes: readonly string[], settings: InjectionSettings): Result<EnvFromPlan, Denial> {
  const isNamed = settings.isCallerTrusted === true;
  const { pod, selection, envFrom, facts } = input;
  if (envFrom === undefined) return ok({ added: [], warnings: [] });
  const keys = keysOfSecrets(facts);
  // Names of variables are not case-sensitive on Windows.
  const fold = (name: string): string => (pod.system === "windows" ? name.toUpperCase() : name);
  const brought = variablesOf(envFrom, { keys, fold, isNamed });
  const added: NewEnvFrom[] = [];
  for (const container of selection.containers) {
    const missing = envFrom.secrets.filter((secret) => !container.envFrom.some((own) => own.secret === secret && own.prefix === ""));
    if (missing.length === 0) continue;
    if (!brought.ok) return brought;
    const taken = takenVariable(container, missing, { keys, fold, isNamed, brought: brought.value, selection });
    if (taken !== undefined) return failed(taken);
    added.push(...missing.map((secret) => ({ list: container.list, index: container.index, secret })));
  }
  const isKnown = classes.every((name) => facts.get(name)?.kind === "found");
  return ok({ added, warnings: isKnown ? secretsOfNoClass(envFrom, keys) : [] });
}

/** Returns warnings for Secrets that the pod requests and that none of its classes writes. Call this only if all classes are known. */
function secretsOfNoClass({ secrets }: EnvFrom, keys: KeysOfSecrets): readonly string[] {
  return secrets.filter((secret) => !keys.has(secret)).map((secret) => warning("secretOfNoClass", { secret }));
}

type KeysOfSecrets = ReadonlyMap<string, readonly string[]>;

/**
 * Most keys of one Secret. No real environment has that many, and the webhook compares each key in each container. Further keys count as
 * unknown, like the keys of a foreign Secret.
 */
const MOST_KEYS = 500;

function keysOfSecrets(facts: ReadonlyMap<string, ClassFact>): KeysOfSecrets {
  const byName = new Map<string, string[]>();
  for (const fact of facts.values()) {
    const objects = fact.kind === "found" ? (fact.class.spec?.secretObjects ?? []) : [];
    for (const { secretName, data } of objects) {
      if (secretName === undefined) continue;
      const keys = byName.get(secretName) ?? [];
      const room = MOST_KEYS - keys.length;
      if (room > 0) keys.push(...(data ?? []).slice(0, room).flatMap(({ key }) => key ?? []));
      byName.set(secretName, keys);
    }
  }
  return byName;
}

type Fold = (name: string) => string;

/** A variable from one of the listed Secrets. */
interface Brought {
  readonly variable: string;
  readonly secret: string;
}

type BroughtByName = ReadonlyMap<string, Brought>;

interface Named {
  readonly keys: KeysOfSecrets;
  readonly fold: Fold;
  /** Whether messages can name keys that are not in the request. */
  readonly isNamed: boolean;
}

interface Known extends Named {
  readonly brought: BroughtByName;
  readonly selection: ContainerSelection;
}

/** Returns the variables by name. Returns a denial if two listed Secrets have the same variable. */
function variablesOf({ annotation, secrets }: EnvFrom, { keys, fold, isNamed }: Named): Result<BroughtByName, Denial> {
  const brought = new Map<string, Brought>();
  for (const secret of secrets) {
    for (const variable of keys.get(secret) ?? []) {
      const other = brought.get(fold(variable))?.secret;
      if (other !== undefined && other !== secret) {
        const values = { annotation: annotation.subject, other: quoted(other), secret: quoted(secret) };
        return failed(isNamed ? denial("envTwice", { ...values, variable: quoted(variable) }) : denial("envTwiceUnnamed", values));
      }
      brought.set(fold(variable), { variable, secret });
    }
  }
  return ok(brought);
}

/**
 * `env` takes precedence over `envFrom`, and a later source over an earlier one. In both cases, a container would get a value that its
 * author does not expect.
 */
function takenVariable(container: PodContainer, missing: readonly string[], known: Known): Denial | undefined {
  const { name, variables, envFrom } = container;
  const said = ({ variable, secret }: Brought) => ({
    container: quoted(name, 63),
    variable: quoted(variable),
    secret: quoted(secret),
    fix: fixFor("variable", valueWithout(known.selection, name)),
  });
  for (const own of variables) {
    const hidden = addedBy(own, missing, known);
    if (hidden !== undefined) return denial("envSet", said(hidden));
  }
  for (const { secret: other = "", prefix } of envFrom) {
    for (const key of known.keys.get(other) ?? []) {
      const shared = addedBy(`${prefix}${key}`, missing, known);
      if (shared === undefined) continue;
      const { variable, ...values } = { ...said(shared), other: quoted(other) };
      return known.isNamed ? denial("envGiven", { ...values, variable }) : denial("envGivenUnnamed", values);
    }
  }
  return undefined;
}

function addedBy(variable: string, missing: readonly string[], { brought, fold }: Known): Brought | undefined {
  const found = brought.get(fold(variable));
  return found !== undefined && missing.includes(found.secret) ? found : undefined;
}
