/** The way to a property in a JSON or YAML text: `user.name`, `hosts[0]`, `["a.b"].c`. One place or none: no wildcards, no filters. */
import { failed, ok, type Result } from "../result.ts";

export type PathStep = string | number;
export type PropertyPath = readonly PathStep[];

const STEP = /(?:(?<dot>\.?)(?<name>[^.[\]"\s]+)|\[(?:(?<index>0|[1-9]\d{0,8})|(?<quoted>"(?:[^"\\]|\\.)*"))\])/y;

export const PATH_HINT = 'write names with dots between them, [0] for the first item of a list, ["a.b"] for a name with a dot';

/** The error is the place of what cannot be read, in characters from 1. */
export function parsePath(text: string): Result<PropertyPath, number> {
  const steps: PathStep[] = [];
  let at = 0;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    const step = match?.groups && stepOf(match.groups, at === 0);
    if (match === null || step === undefined) return failed(at + 1);
    steps.push(step);
    at = STEP.lastIndex;
  }
  return steps.length > 0 ? ok(steps) : failed(1);
}

function stepOf({ dot, name, index, quoted }: Readonly<Record<string, string | undefined>>, isFirst: boolean): PathStep | undefined {
  // A dot between two names, and nowhere else.
  if (name !== undefined) return (dot === "") === isFirst ? name : undefined;
  return index === undefined ? textOf(quoted ?? "") : Number(index);
}

/** Undefined for an escape that JSON does not have. */
function textOf(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}
