import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { assertNamespace, NO_CLASSES_SERVED } from "../shared/absence.ts";
import { type ClassContext, openClassContext } from "../shared/class-context.ts";
import {
  answered,
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  formatOf,
  type NamedClass,
  namedClass,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { type OptionValues, valueOf } from "../shared/options.ts";
import { driverSyncBinding } from "../shared/rbac.ts";
import { installNamespace } from "../shared/resources.ts";
import { type Line, line, oneLine, padded, paint, shown } from "../shared/terminal.ts";
import { rememberingViewer } from "../shared/viewer.ts";
import type { CheckResult, DoctorContext } from "./checks/check.ts";
import { isInstalled } from "./checks/install.ts";
import { runChecks } from "./checks/run-checks.ts";
import { type CheckState, STATE_COLOURS } from "./class/leaves.ts";
import { type ReportedWalk, reportedWalk, walkAll, walkNamed, walkSome, walkText } from "./class/walk.ts";
import { planClasses, planText } from "./plan/plan.ts";
import { claimsOf } from "./plan/plan-secret.ts";
import { type InstallReport, readInstall } from "./report.ts";

const FORMATS = ["text", "json"] as const;

const SUBJECTS = ["class", "plan"] as const;
type Subject = (typeof SUBJECTS)[number];

export const doctor: Command = {
  name: "doctor",
  summary: "Check an installation, trace a class to its vault, or preview a first install; say how to fix it.",
  usage: "[class [NAMESPACE/NAME] | plan]",
  details: [
    "doctor        checks the install, then up to 20 classes, failing ones first, as doctor class does.",
    "doctor class  checks one class, all of -n, or all: text, identity, network, token, permission, objects, status, Secrets.",
    "doctor plan   lists the Secrets that the worker would create and the classes that it would refuse, before it has ever run.",
    "",
    "Uses your own permissions and changes nothing. SKIP means no permission, or nothing to check. Vaults are read with the class's",
    "own identity: its credentials are read with your permissions, and never shown. Azure is reached through HTTPS_PROXY, as by the",
    "worker. One check creates a pod by dry run, which stores nothing.",
    "",
    "json is one report; docs/reference/doctor.md has its fields.",
    "Exit code: 0, also with WARN and SKIP; 1 if a check fails (FAIL); 2 without a cluster.",
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
  const subject = subjectOf(input);
  const [, word] = input.arguments;
  const named = word === undefined ? undefined : namedClass(word, input);
  return withCluster(input, context, async (cluster) => {
    const { report, fields, text, hasFailed } = await answer({ subject, named }, input.options, cluster, context);
    const isJson = formatOf(input.options, FORMATS) === "json";
    return answered(isJson ? reportText(report, context.shipped, await fields()) : shown(text, context.terminal), hasFailed);
  });
}

function subjectOf({ arguments: [word, named] }: CommandInput): Subject | undefined {
  if (word === undefined) return undefined;
  const subject = SUBJECTS.find((known) => known === word);
  if (subject === undefined) {
    throw new CommandFailure(`${JSON.stringify(word)} is nothing that doctor checks; write class, class NAMESPACE/NAME, plan, or nothing`);
  }
  if (subject === "plan" && named !== undefined) throw new CommandFailure("plan takes no name; limit it to a namespace with -n NAME");
  return subject;
}

interface Answer {
  /** Name of the report, and its fields. */
  readonly report: "install" | "classes" | "plan";
  readonly fields: () => object | Promise<object>;
  /** For people. */
  readonly text: readonly Line[];
  /** Something is `FAIL`, refused, or in conflict. */
  readonly hasFailed: boolean;
}

async function answer(
  { subject, named }: { readonly subject: Subject | undefined; readonly named: NamedClass | undefined },
  options: OptionValues,
  cluster: Cluster,
  context: CommandContext,
): Promise<Answer> {
  const namespace = installNamespace(options);
  const asksVaults = subject !== "plan" && options["no-vaults"] === undefined;
  // An image that lacks its own files says so before the cluster is asked anything.
  const crds = subject === undefined ? context.shipped.shippedCrds() : undefined;
  const classes = await openClassContext({ cluster, context, namespace, asksVaults });
  const within = valueOf(options, "namespace");
  if (subject === "plan") return answerPlan(classes, within);
  if (crds === undefined) return answerClasses(classes, named?.(cluster.namespace), within);
  const { clock, signal, worker } = classes;
  const checking: DoctorContext = {
    // The checks ask for the same lists again and again; the walks, which take long, look anew.
    viewer: rememberingViewer(classes.viewer),
    namespace,
    cluster: { ...cluster, namespace: within ?? cluster.namespace },
    queues: classes.azure?.queues,
    isInCluster: classes.azure?.isInCluster === true,
    reach: classes.azure?.reach ?? (await context.openReach()),
    worker,
    crds,
    clock,
    signal,
  };
  return answerInstall(checking, classes);
}

async function answerInstall(context: DoctorContext, classes: ClassContext): Promise<Answer> {
  const findings = await runChecks(context, classes.tellProgress);
  const { walks, left } = isInstalled(findings) ? await walkSome(classes) : { walks: [], left: 0 };
  const fields = async (): Promise<InstallReport> => ({ namespace: context.namespace, ...(await readInstall(context)), findings, walks });
  const hasFailed = [...findings, ...walks].some(({ state }) => state === "FAIL");
  return { report: "install", fields, text: installText(findings, walks, left), hasFailed };
}

/** Where something fails: the one finding to begin with. The rest is often its consequence. */
export function firstToDo(results: readonly CheckResult[]): string | undefined {
  const failed = results.filter(({ state }) => state === "FAIL");
  if (failed.length < 2) return undefined;
  const pods = failed.find(({ check }) => check === "deployments");
  // Pods that do not run may lack a node, and most other checks wait for them.
  const nodes = results.find(({ check, state }) => check === "nodes" && (state === "FAIL" || state === "WARN"));
  const cause = pods === undefined ? failed[0] : (nodes ?? pods);
  return cause?.fix === undefined ? undefined : `to do first: ${cause.check}: ${oneLine(cause.message)} -> ${cause.fix}`;
}

function installText(results: readonly CheckResult[], walks: readonly ReportedWalk[], left: number): readonly Line[] {
  const lines = results.flatMap(({ check, state, message, fix }) => [
    line`${padded(paint(STATE_COLOURS[state], state), 4)}  ${padded(check, 12)}  ${message}`,
    ...(fix === undefined ? [] : [line`${padded("", 20)}-> ${fix}`]),
  ]);
  const more = left === 0 ? [] : [line`${left} more classes were not walked: keyvault-injector doctor class walks them all`, line``];
  const counts = countsOf([...results, ...walks.flatMap(({ findings }) => findings)]);
  const first = firstToDo(results);
  return [...lines, line``, ...walks.flatMap(walkText), ...more, ...(first === undefined ? [] : [line`${first}`]), line`${counts}`];
}

/** Of every line that was printed. */
function countsOf(states: readonly { readonly state: CheckState }[]): string {
  const count = (state: CheckState): string => `${states.filter((result) => result.state === state).length} ${state}`;
  return (["OK", "WARN", "FAIL", "SKIP"] as const).map(count).join(", ");
}

/** Of one class, or of a namespace, or of all. */
export async function answerClasses(context: ClassContext, named: Required<ObjectRef> | undefined, within?: string): Promise<Answer> {
  if (named !== undefined) context.tellProgress(`class ${named.namespace}/${named.name}`);
  const walks =
    named === undefined ? await walkAll(context, await classesIn(context, within)) : [reportedWalk(await walkNamed(context, named))];
  const none = walks.length === 0 ? [noneIn(within)] : [];
  const text = [...none, ...walks.flatMap(walkText), line`${countsOf(walks.flatMap(({ findings }) => findings))}`];
  return { report: "classes", fields: () => ({ walks }), text, hasFailed: walks.some(({ state }) => state === "FAIL") };
}

const noneIn = (namespace: string | undefined): Line =>
  namespace === undefined ? line`there are no classes in any namespace` : line`there are no classes in namespace ${namespace}`;

async function answerPlan(context: ClassContext, within: string | undefined): Promise<Answer> {
  const classes = await classesIn(context, within);
  const claims = { classes: claimsOf(classes), driverSync: await driverSyncBinding(context.viewer) };
  const planned = await planClasses(context, { classes, claims });
  const isWrong = (action: string): boolean => action === "conflict" || action === "invalid";
  const hasFailed = planned.some(({ verdict, secrets }) => verdict === "refused" || secrets.some(({ action }) => isWrong(action)));
  return {
    report: "plan",
    fields: () => ({ classes: planned }),
    text: planned.length === 0 ? [noneIn(within)] : planText(planned),
    hasFailed,
  };
}

async function classesIn({ viewer }: ClassContext, namespace: string | undefined): Promise<readonly SecretProviderClass[]> {
  await assertNamespace(viewer, namespace);
  const look = await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, namespace === undefined ? {} : { namespace });
  if (look.kind === "seen") return look.value;
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}; name a namespace with -n, or ask for the right`);
  throw new CommandFailure(NO_CLASSES_SERVED);
}
