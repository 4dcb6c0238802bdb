import { paint } from "../../paint.ts";
import { oneLine } from "../class/reported-walk.ts";
import type { ClassVerdict, PlannedClass } from "./plan.ts";
import type { PlannedSecret, SecretAction } from "./plan-secret.ts";

const CLASS_COLOURS: Readonly<Record<ClassVerdict, "green" | "red" | "cyan">> = {
  ready: "green",
  waits: "green",
  off: "cyan",
  refused: "red",
  unknown: "cyan",
};

const SECRET_COLOURS: Readonly<Record<SecretAction, "green" | "red" | "cyan" | "yellow">> = {
  create: "green",
  keep: "green",
  "take-over": "yellow",
  conflict: "red",
  invalid: "red",
  unknown: "cyan",
};

/** What would be written, and what would not be and why. */
export function planText(classes: readonly PlannedClass[], hasColour: boolean): string {
  const lines = classes.flatMap((planned) => classLines(planned, hasColour));
  return `${[...lines, ...(lines.length === 0 ? [] : [""]), summaryOf(classes)].join("\n")}\n`;
}

function classLines({ namespace, name, verdict, reason, message, fix, secrets }: PlannedClass, hasColour: boolean): readonly string[] {
  const why = message === undefined ? "" : ` ${reason === undefined ? "" : `${reason}: `}${oneLine(message)}`;
  return [
    `${paint(verdict.padEnd(8), CLASS_COLOURS[verdict], hasColour)}  class ${namespace}/${name}${why}`,
    ...(fix === undefined ? [] : [`${" ".repeat(10)}-> ${oneLine(fix)}`]),
    ...secrets.flatMap((secret) => secretLines(secret, hasColour)),
  ];
}

function secretLines({ name, type, action, reason, message, fix }: PlannedSecret, hasColour: boolean): readonly string[] {
  const why = message === undefined ? "" : `: ${reason === undefined ? "" : `${reason}: `}${oneLine(message)}`;
  return [
    `${" ".repeat(10)}${paint(action.padEnd(9), SECRET_COLOURS[action], hasColour)}  Secret ${name} (${type})${why}`,
    ...(fix === undefined ? [] : [`${" ".repeat(21)}-> ${oneLine(fix)}`]),
  ];
}

/** Secrets of a class that is refused are not written, so they are not counted as created. */
function summaryOf(classes: readonly PlannedClass[]): string {
  const written = classes.filter(({ verdict }) => verdict === "ready");
  const created = written.flatMap(({ namespace, secrets }) => secrets.filter(({ action }) => action === "create").map(() => namespace));
  const count = (action: SecretAction): number =>
    classes.flatMap(({ secrets }) => secrets).filter((secret) => secret.action === action).length;
  const refused = classes.filter(({ verdict }) => verdict === "refused").length;
  return `${created.length} Secrets would be created in ${new Set(created).size} namespaces; ${count("conflict")} in conflict, ${count("invalid")} invalid; ${refused} of ${classes.length} classes refused`;
}
