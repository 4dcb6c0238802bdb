import { unchanged } from "../../domain/admission/decision.ts";
import { objectAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { apiVersionOf, type KubeObject, RESOURCES, type Resource, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { misplacedAnnotations } from "../../domain/preflight/misplaced-annotations.ts";
import { spellingAdvice } from "../../domain/spelling.ts";
import { apiVersionProblem, isClass, readClassItem } from "../manifest/class-item.ts";
import { itemsOf, type ManifestItem, podAt, podPath } from "../manifest/items.ts";
import { metadataProblems } from "../manifest/own-metadata.ts";
import { uncheckedTemplates } from "../manifest/unchecked-templates.ts";
import { absentNamespaceNotes, objectAbsence } from "../shared/absence.ts";
import {
  answered,
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  closingOptional,
  EXIT,
  formatOf,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { injectionContext } from "../shared/injection.ts";
import { fileFindings, manifestSources, readFiles, showFinding } from "../shared/manifest-files.ts";
import { type OptionValues, valueOf } from "../shared/options.ts";
import { TARGET_KINDS, targetResource } from "../shared/resources.ts";
import { shown } from "../shared/terminal.ts";
import { createViewer, openIfConfigured, type Viewer } from "../shared/viewer.ts";
import { explainClass } from "./explain-class.ts";
import { type ExplainContext, explainPod, type PodToExplain } from "./explain-pod.ts";
import { type Explanation, explanationsText, isWrong } from "./explanation.ts";
import { insteadOfSecret, secretResource } from "./secret-target.ts";

const FORMATS = ["text", "json"] as const;

export const explain: Command = {
  name: "explain",
  summary: "Explain step by step why a pod is or is not injected, or explain the state of a class.",
  usage: "KIND/NAME | KIND NAME | FILE | -f FILE… | -k DIR",
  details: [
    `KIND is ${TARGET_KINDS.join(", ")},`,
    "or a short name: those of kubectl, and spc for SecretProviderClass, which kubectl does not know. You can also specify an object as",
    "kubectl get -o name prints it. spcsync/NAME explains the class NAME.",
    "With -f, the command explains every object in the files as if it were created now.",
    "Objects that you lack permission to read are shown as unknown. The command never prints secret values.",
    "",
    "json prints one report.",
    "Exit code: 0; 1 for a denial or a failure; 2 if the object does not exist or there is no cluster.",
  ],
  examples: [
    { result: "Why a running pod is or is not injected", typed: "keyvault-injector explain pod/shop-7d9c -n shop" },
    { result: "Why a class is not synced", typed: "keyvault-injector explain spc/shop -n shop" },
    { result: "What would happen to the pods in a file", typed: "keyvault-injector explain -f deployment.yaml" },
  ],
  options: [
    "filename",
    "recursive",
    "kustomize",
    "namespace",
    "output",
    "offline",
    "strict-annotations",
    "injection-mode",
    "context",
    "kubeconfig",
  ],
  formats: FORMATS,
  optionHelp: {
    namespace: "Namespace of the object, or of objects in files that do not specify one. Default: the kubeconfig's namespace, or default.",
  },
  hasJsonReport: true,
  arguments: 2,
  run: runExplain,
};

async function runExplain(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const target = targetOf(input);
  const sources = await manifestSources({ ...input, arguments: target === undefined ? input.arguments : [] }, context.inputs);
  if (target === undefined && sources.length === 0) throw new CommandFailure("specify one object as KIND/NAME, or files with -f FILE");
  if (target !== undefined && sources.length > 0)
    throw new CommandFailure(`${target.kind}/${target.name} and -f contradict each other; specify one of them`);
  if (target !== undefined && options.offline !== undefined)
    throw new CommandFailure(`--offline: ${target.kind}/${target.name} is an object in a cluster; use explain -f FILE without a cluster`);
  if (target !== undefined)
    return withCluster(input, context, async (cluster) =>
      resultOf([await explainTarget(target, cluster, { options, context })], input, context),
    );
  const { cluster, notes } = await openIfConfigured(context, options);
  return closingOptional(cluster, async () => {
    const read = await readFiles(sources);
    const namespace = valueOf(options, "namespace") ?? cluster?.namespace ?? "default";
    const items = read.documents.flatMap(itemsOf);
    const viewer = cluster && createViewer(cluster, context.signal);
    const explaining = await explainContext(items, namespace, viewer, { options, context });
    const absent = await absentNamespaceNotes(items, namespace, viewer);
    const explanations: Explanation[] = [];
    for (const item of items) explanations.push(await explainItem(item, explaining));
    const result = resultOf(explanations, input, context);
    const isUnreadable = read.problems.length > 0;
    const found = fileFindings(read).map(showFinding);
    return { ...result, code: isUnreadable ? EXIT.unusable : result.code, notes: [...notes, ...absent, ...found] };
  });
}

function resultOf(explanations: readonly Explanation[], { options }: CommandInput, { shipped, terminal }: CommandContext): CommandResult {
  const isJson = formatOf(options, FORMATS) === "json";
  const output = isJson ? reportText("explain", shipped, { explanations }) : shown(explanationsText(explanations), terminal);
  return answered(output, explanations.some(isWrong));
}

interface Target {
  readonly resource: Resource;
  /** Kind as the user typed it. */
  readonly kind: string;
  readonly name: string;
}

/**
 * Returns the object that `pod/web` or `pod web` names; undefined if the words are files, or there are none. Rejects words that name no
 * object before the command contacts a cluster.
 */
function targetOf({ arguments: [first, second] }: CommandInput): Target | undefined {
  if (first === undefined || (first === "-" && second === undefined)) return undefined;
  const [kind = "", name = "", ...rest] = second === undefined ? first.split("/") : [first, second];
  const resource = targetResource(kind) ?? secretResource(kind);
  if (resource === undefined && second === undefined && isFileName(first)) return undefined;
  if (resource === undefined) throw new CommandFailure(noKindText(kind, first, second));
  if (name === "" || name.includes("/") || rest.length > 0) throw new CommandFailure(noNameText(kind, [name, ...rest]));
  return { resource, kind, name };
}

function isFileName(word: string): boolean {
  return /\.(?:ya?ml|json)$/.test(word);
}

function noKindText(kind: string, first: string, second: string | undefined): string {
  if (second !== undefined && [first, second].some(isFileName)) return "explain takes one file without -f; write -f for each file";
  if (second === undefined && !first.includes("/"))
    return `${JSON.stringify(first)} names no object; write KIND/NAME, such as pod/web, or -f FILE`;
  if (second?.includes("/") === true) return `explain takes one object; remove ${first} or ${second}`;
  return `${JSON.stringify(kind)} is not a kind that explain knows; ${spellingAdvice(kind, TARGET_KINDS)}`;
}

function noNameText(kind: string, names: readonly string[]): string {
  if (names.join("") === "") return `${JSON.stringify(kind)} is a kind, but names no object; write ${kind}/NAME`;
  return `${JSON.stringify([kind, ...names].join("/"))} names no object; write ${kind}/NAME`;
}

interface Explaining {
  readonly options: OptionValues;
  readonly context: CommandContext;
}

async function explainTarget({ resource, name }: Target, cluster: Cluster, explaining: Explaining): Promise<Explanation> {
  const { options, context } = explaining;
  const namespace = valueOf(options, "namespace") ?? cluster.namespace;
  const viewer = createViewer(cluster, context.signal);
  if (resource === RESOURCES.secrets) throw new CommandFailure(await insteadOfSecret(viewer, { namespace, name }));
  const reading = await viewer.object<KubeObject>(resource, { namespace, name });
  if (reading.kind === "unseen") throw new CommandFailure(`${reading.why}; ask for permission to get ${resource.plural}`);
  if (reading.kind === "unserved") throw new CommandFailure(`the API server serves no ${resource.plural}; are the CRDs applied?`);
  if (reading.kind === "absent") throw new CommandFailure(await objectAbsence(viewer, resource, { namespace, name }));
  const object = `${resource.kind.toLowerCase()}/${name}`;
  if (resource === RESOURCES.secretProviderClasses) {
    const spc: SecretProviderClass = reading.value; // The CRD's schema has validated the fields.
    return explainClass({ object, namespace, spc }, viewer);
  }
  const stored = { ...reading.value, apiVersion: apiVersionOf(resource), kind: resource.kind };
  const pod = podIn(stored, { object, namespace, isStored: resource === RESOURCES.pods });
  if (pod === undefined) throw new CommandFailure(`${object} ${sourceText(stored)}`);
  return explainPod(pod, await explainContext([], namespace, viewer, explaining));
}

async function explainItem(item: ManifestItem, context: ExplainContext): Promise<Explanation> {
  const { namespace = context.namespace } = item;
  const object = `${item.kind.toLowerCase()}/${item.name}`;
  if (isClass(item)) {
    const { class: spc, refused } = readClassItem(item, namespace);
    const unserved = apiVersionProblem(item);
    const problems = [...(unserved === undefined ? [] : [unserved]), ...refused.map(({ message }) => message)];
    return explainClass({ object, namespace, spc, refused: problems }, context.viewer);
  }
  const pod = podIn(item.object, { object, namespace, isStored: false, isGiven: true });
  if (pod !== undefined) return explainPod(pod, context);
  const { kind: outcome, reason } = unchanged("Unsupported");
  const place = isInNone(item) ? undefined : namespace;
  return { object, namespace: place, verdict: { outcome, reason, message: unsupportedText(item) }, steps: [] };
}

/** Whether the kind is known to be cluster-scoped. */
function isInNone({ kind }: ManifestItem): boolean {
  return Object.values<Resource>(RESOURCES).some((resource) => resource.kind === kind && !resource.namespaced);
}

function unsupportedText(item: ManifestItem): string {
  const { kind, name, object } = item;
  if (kind === "Namespace") return "a Namespace creates no pods and is not a class; its annotations apply to its pods";
  const [unchecked] = uncheckedTemplates(item);
  if (unchecked !== undefined) return unchecked.message;
  if (podPath(object) === undefined) return `${kind} is not a class, and not a kind whose pods this command knows`;
  return `${kind} ${name} ${sourceText(object)}`;
}

/** Describes the pod template of a workload that has none of its own. */
function sourceText(workload: JsonObject): string {
  const ref = objectAt(workload, ["spec", "workloadRef"]);
  if (ref === undefined) return "has no pod template";
  return `uses the pod template of ${String(ref["kind"])} ${String(ref["name"])} (spec.workloadRef): explain that object`;
}

/** Returns the pod that the object is, or creates; undefined if it creates none. */
function podIn(workload: JsonObject, facts: Pick<PodToExplain, "object" | "namespace" | "isStored" | "isGiven">): PodToExplain | undefined {
  const path = podPath(workload);
  const pod = path === undefined ? undefined : podAt(workload, path);
  if (path === undefined || pod === undefined) return undefined;
  const refused = metadataProblems(workload).map(({ message }) => message);
  return { ...facts, pod, path, workload, refused, misplaced: misplacedAnnotations(workload, path).map(({ message }) => message) };
}

async function explainContext(
  items: readonly ManifestItem[],
  namespace: string,
  viewer: Viewer | undefined,
  { options, context: { shipped, clock } }: Explaining,
): Promise<ExplainContext> {
  return { ...(await injectionContext(items, namespace, viewer, { version: shipped.version, options })), viewer, clock };
}
