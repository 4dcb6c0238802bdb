import { type Cluster, rememberingViewer } from "../cluster.ts";
import {
  accessOf,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
} from "../command.ts";
import { INSTALL_NAMESPACE } from "../install.ts";
import { type NamedClass, namedClass } from "../named-class.ts";
import { type OptionValues, valueOf } from "../options.ts";
import { answerClasses, answerInstall, answerPlan, type Format } from "./answers.ts";
import type { DoctorContext } from "./check.ts";
import type { ClassContext } from "./class/class-look.ts";
import { openClassContext } from "./class/walk-classes.ts";

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
