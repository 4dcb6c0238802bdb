import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { driverSyncBinding } from "../access/driver-sync.ts";
import { CommandFailure } from "../command.ts";
import { paint } from "../paint.ts";
import type { CheckResult, CheckState, DoctorContext } from "./check.ts";
import { STATE_COLOURS } from "./check.ts";
import { isInstalled } from "./check-installed.ts";
import type { ClassContext } from "./class/class-look.ts";
import { oneLine, type ReportedWalk, reportedWalk, walkText } from "./class/reported-walk.ts";
import { walkNamed } from "./class/walk.ts";
import { walkAll, walkSome } from "./class/walk-classes.ts";
import { planClasses } from "./plan/plan.ts";
import { claimsOf } from "./plan/plan-secret.ts";
import { planText } from "./plan/print.ts";
import { type InstallReport, REPORT_FORMAT, readInstall } from "./report.ts";
import { runChecks } from "./run-checks.ts";

export type Format = "text" | "json";

export interface Printing {
  readonly format: Format;
  readonly hasColour: boolean;
  readonly version: string;
}

export interface Answer {
  readonly output: string;
  /** Something is `FAIL`, refused, or in conflict. */
  readonly hasFailed: boolean;
}

export async function answerInstall(context: DoctorContext, classes: ClassContext, printing: Printing): Promise<Answer> {
  const findings = await runChecks(context);
  const { walks, left } = isInstalled(findings) ? await walkSome(classes) : { walks: [], left: 0 };
  const hasFailed = [...findings, ...walks].some(({ state }) => state === "FAIL");
  if (printing.format === "text") return { output: installText(findings, { walks, left }, printing.hasColour), hasFailed };
  const { version } = printing;
  const facts = await readInstall(context);
  const report: InstallReport = {
    report: "install",
    format: REPORT_FORMAT,
    version,
    namespace: context.namespace,
    ...facts,
    findings,
    walks,
  };
  return { output: json(report), hasFailed };
}

interface Walks {
  readonly walks: readonly ReportedWalk[];
  readonly left: number;
}

function installText(results: readonly CheckResult[], { walks, left }: Walks, hasColour: boolean): string {
  const lines = results.flatMap(({ check, state, message, fix }) => [
    `${paint(state.padEnd(4), STATE_COLOURS[state], hasColour)}  ${check.padEnd(12)}  ${oneLine(message)}`,
    ...(fix === undefined ? [] : [`${" ".repeat(20)}-> ${fix}`]),
  ]);
  const more = left === 0 ? [] : [`${left} more classes were not walked: keyvault-injector doctor class walks them all`, ""];
  const shown = walks.length === 0 ? [] : ["", ...walks.map((walk) => walkText(walk, hasColour)), ...more];
  return `${[...lines, ...shown, ...(walks.length === 0 ? [""] : []), countsOf([...results, ...walks.flatMap(({ findings }) => findings)])].join("\n")}\n`;
}

/** Of every line that was printed. */
function countsOf(states: readonly { readonly state: CheckState }[]): string {
  const count = (state: CheckState): string => `${states.filter((result) => result.state === state).length} ${state}`;
  return (["OK", "WARN", "FAIL", "SKIP"] as const).map(count).join(", ");
}

interface ClassChoice {
  readonly named: Required<ObjectRef> | undefined;
  /** Namespace; undefined: all. */
  readonly within: string | undefined;
}

export async function answerClasses(context: ClassContext, { named, within }: ClassChoice, printing: Printing): Promise<Answer> {
  if (named !== undefined) context.tellProgress(`class ${named.namespace}/${named.name}`);
  const walks =
    named === undefined ? await walkAll(context, await classesIn(context, within)) : [reportedWalk(await walkNamed(context, named))];
  const hasFailed = walks.some(({ state }) => state === "FAIL");
  if (printing.format === "json")
    return { output: json({ report: "classes", format: REPORT_FORMAT, version: printing.version, walks }), hasFailed };
  return {
    output: `${[...walks.map((walk) => walkText(walk, printing.hasColour)), countsOf(walks.flatMap(({ findings }) => findings))].join("\n")}\n`,
    hasFailed,
  };
}

export async function answerPlan(context: ClassContext, within: string | undefined, printing: Printing): Promise<Answer> {
  const classes = await classesIn(context, within);
  const claims = { classes: claimsOf(classes), driverSync: await driverSyncBinding(context.viewer) };
  const planned = await planClasses(context, { classes, claims });
  const isWrong = (action: string): boolean => action === "conflict" || action === "invalid";
  const hasFailed = planned.some(({ verdict, secrets }) => verdict === "refused" || secrets.some(({ action }) => isWrong(action)));
  const report = { report: "plan", format: REPORT_FORMAT, version: printing.version, classes: planned };
  return { output: printing.format === "json" ? json(report) : planText(planned, printing.hasColour), hasFailed };
}

async function classesIn({ viewer }: ClassContext, namespace: string | undefined): Promise<readonly SecretProviderClass[]> {
  const look = await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, namespace === undefined ? {} : { namespace });
  if (look.kind === "seen") return look.value;
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}; name a namespace with -n, or ask for the right`);
  throw new CommandFailure(
    "the API server serves no secretproviderclasses, so there are none: keyvault-injector doctor says what is not installed",
  );
}

function json(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
