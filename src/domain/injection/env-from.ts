import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, readList } from "./annotation-value.ts";
import type { ClassFact } from "./credentials.ts";
import type { Annotation, EffectiveAnnotations } from "./effective-annotations.ts";
import { isDnsSubdomain } from "./kubernetes-names.ts";
import { denial, fill, PROBLEMS, warning } from "./messages.ts";
import type { ContainerList, Pod, PodContainer } from "./pod.ts";

export interface EnvFrom {
  readonly annotation: Annotation;
  readonly secrets: readonly string[];
}

/** Bounds what one annotation adds to every container. */
const MOST_SECRETS = 32;

/** Undefined where the annotation is not there. */
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

export interface EnvFromInput {
  readonly pod: Pod;
  readonly containers: readonly PodContainer[];
  readonly envFrom: EnvFrom | undefined;
  readonly facts: ReadonlyMap<string, ClassFact>;
}

/**
 * What is missing of `env-from`. We cannot read a Secret, so which variables it brings is known only as far as a class of this
 * pod says what it writes into it; what is known to collide is refused.
 */
export function planEnvFrom(input: EnvFromInput): Result<readonly NewEnvFrom[], Denial> {
  const { pod, containers, envFrom, facts } = input;
  if (envFrom === undefined) return ok([]);
  const keys = keysOfSecrets(facts);
  // Windows does not tell variables apart by case.
  const fold = (name: string): string => (pod.system === "windows" ? name.toUpperCase() : name);
  const twice = keyOfTwo(envFrom, keys, fold);
  const added: NewEnvFrom[] = [];
  for (const container of containers) {
    const missing = envFrom.secrets.filter((secret) => !container.envFrom.some((own) => own.secret === secret && own.prefix === ""));
    const taken = missing.length === 0 ? undefined : (twice ?? takenVariable(container, missing, { keys, fold }));
    if (taken !== undefined) return failed(taken);
    added.push(...missing.map((secret) => ({ list: container.list, index: container.index, secret })));
  }
  return ok(added);
}

/** Secrets that the pod asks for and that no class of it writes: known only where all of them are. */
export function envFromWarnings(
  { envFrom, facts }: Pick<EnvFromInput, "envFrom" | "facts">,
  classes: readonly string[],
): readonly string[] {
  if (envFrom === undefined || classes.some((name) => facts.get(name)?.kind !== "found")) return [];
  const keys = keysOfSecrets(facts);
  return envFrom.secrets.filter((secret) => !keys.has(secret)).map((secret) => warning("secretOfNoClass", { secret }));
}

type KeysOfSecrets = ReadonlyMap<string, readonly string[]>;

function keysOfSecrets(facts: ReadonlyMap<string, ClassFact>): KeysOfSecrets {
  const keys = new Map<string, readonly string[]>();
  for (const fact of facts.values()) {
    const objects = fact.kind === "found" ? (fact.class.spec?.secretObjects ?? []) : [];
    for (const { secretName, data } of objects) {
      const own = (data ?? []).flatMap(({ key }) => key ?? []);
      if (secretName !== undefined) keys.set(secretName, [...(keys.get(secretName) ?? []), ...own]);
    }
  }
  return keys;
}

interface Known {
  readonly keys: KeysOfSecrets;
  readonly fold: (name: string) => string;
}

function keyOfTwo({ annotation, secrets }: EnvFrom, keys: KeysOfSecrets, fold: Known["fold"]): Denial | undefined {
  const owners = new Map<string, string>();
  for (const secret of secrets) {
    for (const variable of keys.get(secret) ?? []) {
      const other = owners.get(fold(variable));
      if (other !== undefined && other !== secret) {
        const values = { other: quoted(other), secret: quoted(secret), variable: quoted(variable) };
        return denial("envTwice", { annotation: annotation.subject, ...values });
      }
      owners.set(fold(variable), secret);
    }
  }
  return undefined;
}

/** `env` wins over `envFrom`, and of two sources the later one: either way somebody gets what they did not write. */
function takenVariable(container: PodContainer, missing: readonly string[], { keys, fold }: Known): Denial | undefined {
  const own = new Set(container.variables.map(fold));
  const given = new Map<string, string>();
  for (const { secret, prefix } of container.envFrom) {
    for (const key of keys.get(secret ?? "") ?? []) given.set(fold(`${prefix}${key}`), secret ?? "");
  }
  const { name } = container;
  for (const secret of missing) {
    for (const variable of keys.get(secret) ?? []) {
      const said = { container: quoted(name, 63), variable: quoted(variable), secret: quoted(secret), name };
      if (own.has(fold(variable))) return denial("envSet", said);
      const other = given.get(fold(variable));
      if (other !== undefined) return denial("envGiven", { ...said, other: quoted(other) });
    }
  }
  return undefined;
}
