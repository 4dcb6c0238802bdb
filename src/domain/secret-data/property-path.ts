/**
 * Path of a property in a JSON or YAML text: `user.name`, `hosts[0]`, `["a.b"].c`. It finds at most one value: there are no wildcards and
 * no filters.
 */
import { failed, ok, type Result } from "../result.ts";

export type PathStep = string | number;
export type PropertyPath = readonly PathStep[];

const STEP = /(?:(?<dot>\.?)(?<name>[^.[\]"\s]+)|\[(?:(?<index>0|[1-9]\d{0,8})|(?<quoted>"(?:[^"\\]|\\.)*"))\])/y;

export const PATH_HINT = 'write names with dots between them, [0] for the first item of a list, ["a.b"] for a name with a dot';

/** Parses a path. The error is the position of the first unreadable part, in characters, starting at 1. */
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
  // A dot is only allowed between two names.
  if (name !== undefined) return (dot === "") === isFirst ? name : undefined;
  return index === undefined ? textOf(quoted ?? "") : Number(index);
}

/** Returns undefined if JSON does not allow an escape in it. */
function textOf(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}
