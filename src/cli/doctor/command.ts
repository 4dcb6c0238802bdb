import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { ClassContext } from "../shared/class-context.ts";
import {
  accessOf,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
  type NamedClass,
  namedClass,
} from "../shared/command.ts";
import { type OptionValues, valueOf } from "../shared/options.ts";
import { driverSyncBinding } from "../shared/rbac.ts";
import { INSTALL_NAMESPACE } from "../shared/resources.ts";
import { paint } from "../shared/terminal.ts";
import { type Cluster, rememberingViewer } from "../shared/viewer.ts";
import { type CheckResult, type CheckState, type DoctorContext, STATE_COLOURS } from "./checks/check.ts";
import { isInstalled } from "./checks/install.ts";
import { runChecks } from "./checks/run-checks.ts";
import { oneLine, openClassContext, type ReportedWalk, reportedWalk, walkAll, walkNamed, walkSome, walkText } from "./class/walk.ts";
import { planClasses, planText } from "./plan/plan.ts";
import { claimsOf } from "./plan/plan-secret.ts";
import { type InstallReport, REPORT_FORMAT, readInstall } from "./report.ts";

const FORMATS = ["text", "json"] as const;

const SUBJECTS = ["class", "plan"] as const;
type Subject = (typeof SUBJECTS)[number];

export const doctor: Command = {
  name: "doctor",
  summary: "Check an install, a class up to its vault, or what a first install would do; say what to do.",
  usage: "[class [NAMESPACE/NAME] | plan]",
  details: [
    "doctor        checks the install, then up to 20 classes, failing ones first, as doctor class does.",
    "doctor class  checks one class, all of -n, or all: text, identity, network, token, permission, objects, status, Secrets.",
    "doctor plan   says which Secrets the worker would create and which classes it would refuse, before it has ever run.",
    "",
    "Looks with your own rights and changes nothing. SKIP is what you may not look at, or what is not there to look at. Vaults are",
    "asked as the class's own identity: its credentials are read with your rights, and never shown. Azure is reached by HTTPS_PROXY,",
    "as by the worker. One check has the API server create a pod by dry run, which stores nothing.",
    "",
    "json is one report; docs/reference/doctor.md has its fields.",
    "Exit code: 0, or 1 where a check fails (FAIL), or 2 where there is no cluster to look at. WARN and SKIP alone give 0.",
  ],
  words: SUBJECTS,
  options: ["namespace", "all-namespaces", "install-namespace", "no-vaults", "output", "context", "kubeconfig"],
  optionHelp: {
    namespace:
      "With class or plan, the classes of this namespace alone; else where the dry run creates its pod (default: the kubeconfig's).",
  },
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 2,
  run: runDoctor,
};

async function runDoctor(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const format = formatOf(options, FORMATS);
  const subject = subjectOf(input);
  const [, word] = input.arguments;
  const named = word === undefined ? undefined : namedClass(word, input);
  const cluster = await context.openCluster(accessOf(options));
  try {
    return await answer(subject, { options, named, cluster, context, format });
  } finally {
    await cluster.close();
  }
}

function subjectOf({ arguments: [word, named] }: CommandInput): Subject | undefined {
  if (word === undefined) return undefined;
  const subject = SUBJECTS.find((known) => known === word);
  if (subject === undefined) {
    throw new CommandFailure(
      `${JSON.stringify(word)} is nothing that doctor looks at; write class, class NAMESPACE/NAME, plan, or nothing`,
    );
  }
  if (subject === "plan" && named !== undefined) throw new CommandFailure("plan takes no name; limit it to a namespace with -n NAME");
  return subject;
}

interface Asked {
  readonly options: OptionValues;
  readonly named: NamedClass | undefined;
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly format: Format;
}

async function answer(subject: Subject | undefined, { options, named, cluster, context, format }: Asked): Promise<CommandResult> {
  const namespace = valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE;
  const asksVaults = subject !== "plan" && options["no-vaults"] === undefined;
  const printing = { format, hasColour: context.hasColour, version: context.version };
  // An image that lacks its own files says so before the cluster is asked anything.
  const crds = subject === undefined ? context.shippedCrds() : undefined;
  const classes = await openClassContext({ cluster, context, namespace, asksVaults });
  if (crds !== undefined) {
    const checking = await checkContext(classes, { cluster, context, options, crds });
    return resultOf(await answerInstall(checking, classes, printing));
  }
  const within = valueOf(options, "namespace");
  if (subject === "plan") return resultOf(await answerPlan(classes, within, printing));
  return resultOf(await answerClasses(classes, { named: named?.(cluster.namespace), within }, printing));
}

interface Checking {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly options: OptionValues;
  readonly crds: DoctorContext["crds"];
}

/** The checks ask for the same lists again and again; the walks, which take long, look anew. */
async function checkContext(classes: ClassContext, { cluster, context, options, crds }: Checking): Promise<DoctorContext> {
  return {
    ...classes,
    viewer: rememberingViewer(classes.viewer),
    actAs: (user) => cluster.actAs(user),
    reach: classes.azure?.reach ?? (await context.openReach()),
    probeNamespace: valueOf(options, "namespace") ?? cluster.namespace,
    crds,
  };
}

function resultOf({ output, hasFailed }: { readonly output: string; readonly hasFailed: boolean }): CommandResult {
  return { code: hasFailed ? EXIT.found : EXIT.fine, output, notes: [] };
}

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
