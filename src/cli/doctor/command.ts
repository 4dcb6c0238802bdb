import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { counted } from "../../domain/words.ts";
import { assertNamespace, installIn, NO_CLASSES_SERVED } from "../shared/absence.ts";
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
import { namespaceWithin, type OptionValues } from "../shared/options.ts";
import { driverSyncBinding } from "../shared/rbac.ts";
import { targetResource } from "../shared/resources.ts";
import { type Line, line, oneLine, padded, paint, shown, verbatim } from "../shared/terminal.ts";
import {
  createViewer,
  type RefusedReading,
  rememberingViewer,
  reportingRefusals,
  skippingUnanswered,
  type Viewer,
  type ViewResult,
} from "../shared/viewer.ts";
import { AGAIN, type CheckName, type CheckResult, type DoctorContext, on } from "./checks/check.ts";
import { isInstalled, whoAmI } from "./checks/install.ts";
import { runChecks } from "./checks/run-checks.ts";
import { type CheckState, STATE_COLOURS } from "./class/leaves.ts";
import { type ReportedWalk, reportedWalk, walkAll, walkNamed, walkSome, walkText } from "./class/walk.ts";
import { isInstallAccount, type MissingRule, missingRules, permissionsYaml } from "./missing-permissions.ts";
import { planClasses, planText } from "./plan/plan.ts";
import { claimsOf } from "./plan/plan-secret.ts";
import { type InstallReport, readInstalled } from "./report.ts";

const FORMATS = ["text", "json"] as const;

const SUBJECTS = ["class", "plan"] as const;
type Subject = (typeof SUBJECTS)[number];

export const doctor: Command = {
  name: "doctor",
  summary: "Check an install, trace a class to its vault, or preview a first install, and show how to fix problems.",
  usage: "[class [NAMESPACE/NAME] | plan]",
  details: [
    "doctor        checks the install and the definitions of all classes. Then runs doctor class for up to 20 classes with Secrets,",
    "              beginning with failing classes.",
    "doctor class  checks one class, all classes in the namespace of -n, or all classes: definition, identity, network, token,",
    "              permission, objects, status, and Secrets.",
    "doctor plan   before the first run of the worker: lists the Secrets that it would create, and the classes that it would reject.",
    "",
    "The command uses your own permissions and changes nothing. SKIP means no permission, no response, or nothing to check. To query",
    "a vault, the command uses the class's own identity. It reads the credentials with your permissions, and never shows them. It",
    "connects to Azure through HTTPS_PROXY, as the worker does. One check creates a pod as a dry run, which stores nothing.",
    "",
    "json prints one report, whose fields are listed in docs/reference/doctor.md.",
    "Exit code: 0, even with WARN and SKIP; 1 if a check fails (FAIL); 2 if there is no cluster.",
  ],
  examples: [
    { result: "Check the install and its classes", typed: "keyvault-injector doctor" },
    { result: "Trace one class to its vault", typed: "keyvault-injector doctor class shop/shop" },
    { result: "List what a first install would do", typed: "keyvault-injector doctor plan" },
  ],
  words: SUBJECTS,
  options: ["namespace", "all-namespaces", "install-namespace", "no-vaults", "output", "context", "kubeconfig"],
  optionHelp: {
    namespace:
      "With class or plan: only classes in this namespace. Otherwise: namespace of the dry-run pod (default: the kubeconfig's namespace).",
  },
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 2,
  run: runDoctor,
};

async function runDoctor(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const subject = subjectOf(input);
  const [first, second] = input.arguments;
  const word = second ?? (SUBJECTS.some((known) => known === first) ? undefined : first);
  const named = word === undefined ? undefined : namedClass(word, input);
  return withCluster(input, context, async (cluster) => {
    const { report, fields, text, hasFailed } = await answer({ subject, named }, input.options, cluster, context);
    const isJson = formatOf(input.options, FORMATS) === "json";
    return answered(isJson ? reportText(report, context.shipped, await fields()) : shown(text, context.terminal), hasFailed);
  });
}

function subjectOf({ arguments: [word, named] }: CommandInput): Subject | undefined {
  if (word === undefined) return undefined;
  if (named === undefined && isClassWord(word)) return "class";
  const subject = SUBJECTS.find((known) => known === word);
  if (subject === undefined) {
    throw new CommandFailure(`doctor cannot check ${JSON.stringify(word)}; write class, class NAMESPACE/NAME, plan, or nothing`);
  }
  if (subject === "plan" && named !== undefined) throw new CommandFailure("plan takes no name; limit it to a namespace with -n NAME");
  return subject;
}

/** Whether the word is `spc/NAME`, which explain and refresh accept, too. */
function isClassWord(word: string): boolean {
  const [kind = "", name = ""] = word.split("/");
  return name !== "" && targetResource(kind) === RESOURCES.secretProviderClasses;
}

interface Answer {
  /** Name of the report; `fields` returns its content. */
  readonly report: "install" | "classes" | "plan";
  readonly fields: () => object | Promise<object>;
  /** Text for people. */
  readonly text: readonly Line[];
  /** Whether anything is `FAIL`, refused, in conflict, or invalid. */
  readonly hasFailed: boolean;
}

async function answer(
  { subject, named }: { readonly subject: Subject | undefined; readonly named: NamedClass | undefined },
  options: OptionValues,
  cluster: Cluster,
  context: CommandContext,
): Promise<Answer> {
  const viewer = createViewer(cluster, context.signal);
  const namespace = await installIn(viewer, options);
  const within = namespaceWithin(options, cluster.namespace);
  if (subject === undefined) await assertNamespace(viewer, within);
  const asksVaults = subject !== "plan" && options["no-vaults"] === undefined;
  // Reports an image that lacks its own files before the checks send requests.
  const crds = subject === undefined ? context.shipped.shippedCrds() : undefined;
  const classes = await openClassContext({ cluster, context, namespace, asksVaults });
  if (subject === "plan") return answerPlan(classes, within);
  if (crds === undefined) return answerClasses(classes, named?.(cluster.namespace), within);
  const { clock, signal, worker } = classes;
  const refusals: RefusedReading[] = [];
  const checking: DoctorContext = {
    // The checks read the same lists repeatedly, so this viewer remembers them. The walks take long, so they read again.
    viewer: rememberingViewer(reportingRefusals(skippingUnanswered(classes.viewer), (refusal) => refusals.push(refusal))),
    namespace,
    cluster: { ...cluster, namespace: within ?? cluster.namespace },
    azure: classes.azure ?? { reach: await context.openReach() },
    worker,
    crds,
    clock,
    signal,
  };
  return answerInstall(checking, classes, refusals);
}

/** Runs the checks and the walks. `refusals` grows while the checks read. */
async function answerInstall(context: DoctorContext, classes: ClassContext, refusals: readonly RefusedReading[]): Promise<Answer> {
  const checked = await runChecks(context, classes.reportProgress);
  const { walks, left, unanswered } = isInstalled(checked) ? await walkAnswered(classes, context.viewer) : NO_WALKS;
  const findings = [...checked, ...unanswered];
  const lacked = missingRules(refusals);
  const user = lacked.length === 0 ? undefined : await userOf(context);
  const isInstall = isInstallAccount(user, context.namespace);
  const permissions = isInstall ? [] : lacked;
  const fields = async (): Promise<InstallReport> => ({
    namespace: context.namespace,
    ...(await readInstalled(context)),
    findings,
    walks,
    permissions,
  });
  const hasFailed = [...findings, ...walks].some(({ state }) => state === "FAIL");
  return { report: "install", fields, text: installText(findings, { walks, left, permissions, user, isInstall }), hasFailed };
}

const NO_WALKS = { walks: [], left: 0, unanswered: [] };

/** Walks classes. Adds a finding if the API server could not answer meanwhile. */
async function walkAnswered(classes: ClassContext, lists: Viewer) {
  const { unanswered, ...walked } = await walkSome(classes, lists);
  const skipped = unanswered === undefined ? [] : [on.classes.skip(`not all classes were checked one by one: ${unanswered}`, AGAIN)];
  return { ...walked, unanswered: skipped };
}

/** Returns undefined if the API server does not identify the user. */
async function userOf({ cluster, signal }: DoctorContext): Promise<string | undefined> {
  try {
    return await whoAmI(cluster, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return undefined;
  }
}

/** Checks on which most other checks depend, the root cause first. */
const CAUSES: readonly CheckName[] = ["deployments", "driver", "provider"];

/** Returns the failure to fix first if several checks fail: the others are often its consequences. */
export function firstToDo(results: readonly CheckResult[]): string | undefined {
  const failed = results.filter(({ state }) => state === "FAIL");
  if (failed.length < 2) return undefined;
  const cause = CAUSES.map((name) => failed.find(({ check }) => check === name)).find((each) => each !== undefined) ?? failed[0];
  return cause?.fix === undefined ? undefined : `to do first: ${cause.check}: ${oneLine(cause.message)} -> ${cause.fix}`;
}

interface Besides {
  readonly walks: readonly ReportedWalk[];
  /** Number of classes that were not walked. */
  readonly left: number;
  /** Permissions that would allow every check. */
  readonly permissions: readonly MissingRule[];
  /** User name that the API server sees. */
  readonly user: string | undefined;
  /** Whether the user is an account of the install, which must not get more permissions. */
  readonly isInstall: boolean;
}

function installText(results: readonly CheckResult[], { walks, left, ...lacking }: Besides): readonly Line[] {
  const lines = results.flatMap(({ check, state, message, fix, isUnseen = false }) => [
    line`${padded(paint(STATE_COLOURS[state], state), 4)}  ${padded(check, 12)}  ${message}`,
    ...(fix === undefined || isUnseen ? [] : [line`${padded("", 20)}-> ${fix}`]),
  ]);
  const unchecked = `${counted(left, "more class")} ${left === 1 ? "was" : "were"} not checked`;
  const more = left === 0 ? [] : [line`${unchecked}: keyvault-injector doctor class checks all classes`, line``];
  const counts = countsOf([...results, ...walks.flatMap(({ findings }) => findings)]);
  const first = firstToDo(results);
  return [
    ...lines,
    line``,
    ...walks.flatMap(walkText),
    ...more,
    ...permissionsText(results, lacking),
    ...(first === undefined ? [] : [line`${first}`]),
    line`${counts}`,
  ];
}

/** Counts a check once, even if it has a finding for each part that the user may not read. */
function permissionsText(
  results: readonly CheckResult[],
  { permissions, user, isInstall }: Omit<Besides, "walks" | "left">,
): readonly Line[] {
  const unseen = new Set(results.filter(({ isUnseen = false }) => isUnseen).map(({ check }) => check)).size;
  const count = `${counted(unseen, "check")} ${unseen === 1 ? "was" : "were"} not made`;
  if (unseen > 0 && isInstall)
    return [
      line`${count}, because the install's own account lacks permissions, and must not get them: run doctor from a workstation, with your own user`,
      line``,
    ];
  if (unseen === 0 || permissions.length === 0) return [];
  const command = "kubectl apply -f -";
  const named = user === undefined ? ", with your user name in place of NAME" : "";
  return [
    line`${count}, because you lack permissions: ask an administrator to apply this with ${command}${named}`,
    line``,
    ...permissionsYaml(permissions, user)
      .trimEnd()
      .split("\n")
      .map((text) => verbatim(text)),
    line``,
  ];
}

/** Counts the printed results by state. */
function countsOf(states: readonly { readonly state: CheckState }[]): string {
  const count = (state: CheckState): string => `${states.filter((result) => result.state === state).length} ${state}`;
  return (["OK", "WARN", "FAIL", "SKIP"] as const).map(count).join(", ");
}

/** Checks one class, or all classes of a namespace or of the cluster. */
export async function answerClasses(context: ClassContext, named: Required<ObjectRef> | undefined, within?: string): Promise<Answer> {
  if (named !== undefined) context.reportProgress(`class ${named.namespace}/${named.name}`);
  const walks =
    named === undefined ? await walkAll(context, await classesIn(context, within)) : [reportedWalk(await walkNamed(context, named))];
  const none = walks.length === 0 ? [noneIn(within)] : [];
  const text = [...none, ...walks.flatMap(walkText), line`${countsOf(walks.flatMap(({ findings }) => findings))}`];
  return { report: "classes", fields: () => ({ walks }), text, hasFailed: walks.some(({ state }) => state === "FAIL") };
}

const noneIn = (namespace: string | undefined): Line =>
  namespace === undefined ? line`there are no classes in any namespace` : line`there are no classes in namespace ${namespace}`;

/** Says why there is nothing to plan. `count`: number of classes. */
function nothingPlanned(count: number, within: string | undefined): Line {
  if (count === 0) return noneIn(within);
  if (count === 1) return line`1 class, of another provider: keyvault-injector ignores it`;
  return line`${count} classes, all of other providers: keyvault-injector ignores them`;
}

const NOTHING_TO_PLAN =
  "0 classes, so the worker would write nothing: the API server does not serve secretproviderclasses yet; install keyvault-injector, or the CSI driver, and then create a class";

async function answerPlan(context: ClassContext, within: string | undefined): Promise<Answer> {
  const reading = await readClasses(context, within);
  if (reading.kind !== "seen")
    return { report: "plan", fields: () => ({ classes: [] }), text: [line`${NOTHING_TO_PLAN}`], hasFailed: false };
  const classes = reading.value;
  const claims = { classes: claimsOf(classes), driverSync: await driverSyncBinding(context.viewer) };
  const planned = await planClasses(context, { classes, claims });
  const isWrong = (action: string): boolean => action === "conflict" || action === "invalid";
  const hasFailed = planned.some(({ verdict, secrets }) => verdict === "refused" || secrets.some(({ action }) => isWrong(action)));
  return {
    report: "plan",
    fields: () => ({ classes: planned }),
    text: planned.length === 0 ? [nothingPlanned(classes.length, within)] : planText(planned),
    hasFailed,
  };
}

async function classesIn(context: ClassContext, namespace: string | undefined): Promise<readonly SecretProviderClass[]> {
  const reading = await readClasses(context, namespace);
  if (reading.kind !== "seen") throw new CommandFailure(NO_CLASSES_SERVED);
  return reading.value;
}

/** Lists the classes. The result is `seen`, unless the API server does not serve classes. */
async function readClasses({ viewer }: ClassContext, namespace: string | undefined): Promise<ViewResult<readonly SecretProviderClass[]>> {
  await assertNamespace(viewer, namespace);
  const reading = await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, namespace === undefined ? {} : { namespace });
  if (reading.kind === "unseen") throw new CommandFailure(`${reading.why}; name a namespace with -n, or ask for permission`);
  return reading;
}
