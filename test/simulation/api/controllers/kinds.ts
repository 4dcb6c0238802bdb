import type { CustomServing } from "../crds/serving.ts";
import type { Kind } from "../kind.ts";
import { BUILTIN_KINDS } from "../kinds/table.ts";

const byPath = new Map(BUILTIN_KINDS.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
const byType = new Map(BUILTIN_KINDS.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind]));

export function builtinByPath(group: string, version: string, plural: string): Kind | undefined {
  return byPath.get(`${group}/${version}/${plural}`);
}

export function builtinNamed(plural: string): Kind {
  const kind = BUILTIN_KINDS.find((candidate) => candidate.plural === plural);
  if (kind === undefined) throw new Error(`no built-in kind ${plural}`);
  return kind;
}

/** Finds a kind by the type in an object, as the controllers of the control plane do. */
export function kindOfType(serving: CustomServing, apiVersion: string, kind: string): Kind | undefined {
  const builtin = byType.get(`${apiVersion} ${kind}`);
  if (builtin !== undefined) return builtin;
  return serving.served().find((candidate) => candidate.kind === kind && candidate.isKnownVersion(apiVersion));
}

/** Returns every kind that is served, each once. */
export function servedKinds(serving: CustomServing): readonly Kind[] {
  return [...BUILTIN_KINDS, ...serving.served()];
}
