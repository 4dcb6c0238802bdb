import { POD_ANNOTATIONS, PREFIX } from "../../domain/annotations.ts";
import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { objectAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { classWarnings } from "../../domain/preflight/class-warnings.ts";
import { misplacedAnnotations } from "../../domain/preflight/misplaced-annotations.ts";
import { workloadWarnings } from "../../domain/preflight/workload-warnings.ts";
import { apiVersionProblem, deprecationOf, isClass, readClassItem } from "../manifest/class-item.ts";
import { type ManifestDocument, shownFile } from "../manifest/documents.ts";
import { itemsOf, type ManifestItem, podAt, podPath, replacedItems, withItems, withPodAt } from "../manifest/items.ts";
import { metadataProblems } from "../manifest/own-metadata.ts";
import { uncheckedTemplates } from "../manifest/unchecked-templates.ts";
import { toJson, toYaml } from "../manifest/yaml.ts";
import { absentNamespaceNotes } from "../shared/absence.ts";
import {
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  closingOptional,
  EXIT,
  formatOf,
  type Terminal,
} from "../shared/command.ts";
import { shownDiff, unifiedDiff } from "../shared/diff.ts";
import { type InjectionContext, injectionContext, injectPod, inTermsOfFiles } from "../shared/injection.ts";
import { injectionModeOf } from "../shared/injection-mode.ts";
import { type Finding, fileFindings, findingOn, type ManifestFiles, readNamedFiles, showFinding } from "../shared/manifest-files.ts";
import { type OptionValues, valueOf } from "../shared/options.ts";
import { DEFAULT_CLOUD, EXCLUDED_NAMESPACES, installNamespace } from "../shared/resources.ts";
import { shown } from "../shared/terminal.ts";
import { createViewer, openIfConfigured, type Viewer } from "../shared/viewer.ts";
import { readEntry } from "../shared/webhook-entry.ts";

const FORMATS = ["yaml", "json", "diff"] as const;

export const render: Command = {
  name: "render",
  summary: "Print manifests as the API server would store them after injection.",
  usage: "FILE… | -f FILE… | -k DIR",
  details: [
    "Injects pods and pod templates with the webhook's own code, as the webhook or the policy would. Other objects stay unchanged.",
    "Classes and Namespaces in the files take precedence over those in the cluster. Without a cluster in the kubeconfig, or with",
    "--offline, the command reads only the files.",
    "",
    "json prints one List. diff shows only the changes, in color on a terminal.",
    "Exit code: 0; 1 if an object would be denied (the object is not printed) or, with --fail-on-warnings, if there is a warning;",
    "2 if a file is unreadable (nothing is printed) or a document is unreadable (the other documents are printed).",
  ],
  examples: [
    { result: "Show what injection changes in a Deployment", typed: "keyvault-injector render -f deployment.yaml -o diff" },
    {
      result: "Check an overlay in CI, without a cluster",
      typed: "keyvault-injector render -k overlays/production --offline --fail-on-warnings",
    },
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
    "fail-on-warnings",
    "install-namespace",
    "context",
    "kubeconfig",
  ],
  formats: FORMATS,
  optionHelp: {
    namespace: "Namespace of objects that do not specify one. Default: the kubeconfig's namespace, or default.",
    "install-namespace": "Namespace of the install, which the webhook excludes. Default: keyvault-injector.",
  },
  arguments: Number.POSITIVE_INFINITY,
  run: runRender,
};

async function runRender(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const read = await readNamedFiles(input, context.inputs);
  const wrong = fileFindings(read).map(showFinding);
  if (read.documents.length === 0) return { code: EXIT.unusable, output: "", notes: wrong };
  const { cluster, notes } = await openIfConfigured(context, options);
  const result = await closingOptional(cluster, () => renderDocuments(read, options, { context, cluster }));
  return { ...result, notes: [...notes, ...wrong, ...result.notes] };
}

async function renderDocuments(
  { documents, problems, warnings }: ManifestFiles,
  options: OptionValues,
  { context, cluster }: { readonly context: CommandContext; readonly cluster: Cluster | undefined },
): Promise<CommandResult> {
  const namespace = valueOf(options, "namespace") ?? cluster?.namespace ?? "default";
  const viewer = cluster && createViewer(cluster, context.signal);
  const injecting = await injectionContext(documents.flatMap(itemsOf), namespace, viewer, { version: context.shipped.version, options });
  const excluded = [...EXCLUDED_NAMESPACES, installNamespace(options)];
  const printed: Printed[] = [];
  const all: RenderedItem[] = [];
  for (const document of documents) {
    const rendered: RenderedItem[] = [];
    for (const item of itemsOf(document)) rendered.push(await renderItem(item, { ...injecting, excluded }));
    all.push(...rendered);
    printed.push({ document, objects: rendered.map(({ object }) => object) });
  }
  const findings = all.flatMap((each) => each.findings);
  const fails = (severity: Finding["severity"]): boolean => severity === "error" || options["fail-on-warnings"] !== undefined;
  const isWrong = findings.some(({ severity }) => fails(severity)) || (warnings.length > 0 && fails("warning"));
  return {
    code: problems.length > 0 ? EXIT.unusable : isWrong ? EXIT.found : EXIT.fine,
    output: WRITERS[formatOf(options, FORMATS)](printed, context.terminal),
    notes: [
      ...(await absentNamespaceNotes(documents.flatMap(itemsOf), namespace, viewer)),
      ...modeNotes(all, injecting),
      ...(await unaskedNotes(all, viewer, context)),
      ...injecting.facts.unseen().map((why) => `warning: ${why}: results that depend on it are not known`),
      ...findings.map(showFinding),
    ],
  };
}

/** Notes how injection by the policy differs from injection by the webhook. */
function modeNotes(rendered: readonly RenderedItem[], { mode }: InjectionContext): readonly string[] {
  if (mode === "webhook" || !rendered.some(({ isInjected }) => isInjected === true)) return [];
  return [
    "note: a policy injects, and it does not read classes: it adds nodePublishSecretRef for each class unless credentials-secret is none",
  ];
}

/** Notes that this cluster injects nothing, unless it does not answer, or the user may not read its configuration. */
async function unaskedNotes(
  rendered: readonly RenderedItem[],
  viewer: Viewer | undefined,
  { shipped: { program } }: CommandContext,
): Promise<readonly string[]> {
  if (viewer === undefined || !rendered.some(({ isInjected }) => isInjected === true)) return [];
  const entry = await readEntry(viewer).catch((error: unknown) => {
    if (error instanceof CommandFailure) return undefined;
    throw error;
  });
  if (entry === undefined || entry.kind === "seen" || entry.kind === "unseen") return [];
  if ((await injectionModeOf(viewer)).kind === "policy") return [];
  const missing = `no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY} exists`;
  return [`note: this cluster injects nothing, because ${missing}: the output shows what an install would add; see ${program} doctor`];
}

/** A document, and its resulting objects in the order of `itemsOf`. */
interface Printed {
  readonly document: ManifestDocument;
  readonly objects: readonly (JsonObject | undefined)[];
}

const WRITERS: Readonly<Record<(typeof FORMATS)[number], (printed: readonly Printed[], terminal: Terminal) => string>> = {
  yaml: (printed) => storedObjects(printed).map(toYaml).join("---\n"),
  json: (printed) => toJson({ apiVersion: "v1", kind: "List", items: storedObjects(printed) }),
  diff: (printed, terminal) =>
    terminal.hasColour
      ? shown(
          printed.flatMap((each) => shownDiff(diffOf(each))),
          terminal,
        )
      : printed.map(diffOf).join(""),
};

function storedObjects(printed: readonly Printed[]): readonly JsonObject[] {
  return printed.map(({ document, objects }) => withItems(document, objects)).filter((object) => object !== undefined);
}

function diffOf({ document, objects }: Printed): string {
  const name = `${shownFile(document.place.file)} document ${document.number}`;
  const items = replacedItems(document, objects);
  const pieces = (side: "before" | "after") => listPieces(document.object, items?.map((item) => item[side]) ?? []);
  if (items !== undefined) return unifiedDiff(pieces("before"), pieces("after"), name);
  const [after] = objects;
  return after === undefined ? "" : unifiedDiff(toYaml(document.object), toYaml(after), name);
}

/** Returns the YAML of a List in pieces: one for each item, also if it is removed, and one for each other field. */
function listPieces(list: JsonObject, items: readonly unknown[]): readonly string[] {
  return Object.entries(list).flatMap(([key, value]) => {
    if (key !== "items") return [toYaml({ [key]: value })];
    const isEmpty = items.every((item) => item === undefined);
    return [isEmpty ? "items: []\n" : "items:\n", ...items.map((item) => (item === undefined ? "" : toYaml([item])))];
  });
}

export interface RenderContext extends InjectionContext {
  /** Namespaces whose pods the webhook does not get. */
  readonly excluded: readonly string[];
}

export interface RenderedItem {
  /** Object as the API server would store it; undefined if it would reject the object or the pods of the object. */
  readonly object: JsonObject | undefined;
  /** Whether injection added something. */
  readonly isInjected?: true;
  readonly findings: readonly Finding[];
}

const ANNOTATIONS = ["metadata", "annotations"];

/** Renders one object of the files. */
async function renderItem(item: ManifestItem, context: RenderContext): Promise<RenderedItem> {
  const namespace = item.namespace ?? context.namespace;
  if (isClass(item)) return renderClass(item, namespace);
  const refused = metadataProblems(item.object).map((problem) =>
    findingOn(item, problem.path, { severity: "error", message: problem.message }),
  );
  if (refused.length > 0) return { object: undefined, findings: refused };
  const path = podPath(item.object);
  const pod = path === undefined ? undefined : podAt(item.object, path);
  return path === undefined || pod === undefined
    ? { object: item.object, findings: uncheckedFindings(item) }
    : renderPod(item, { path, pod, namespace }, context);
}

/** The webhook injects the pods of each kind. The command knows only the templates of some kinds. */
function uncheckedFindings(item: ManifestItem): readonly Finding[] {
  return uncheckedTemplates(item).map(({ path, message }) => findingOn(item, path, { severity: "warning", message }));
}

interface PodOfItem {
  readonly path: readonly string[];
  readonly pod: JsonObject;
  readonly namespace: string;
}

async function renderPod(item: ManifestItem, { path, pod, namespace }: PodOfItem, context: RenderContext): Promise<RenderedItem> {
  const reported = (severity: Finding["severity"], message: string, reason?: string): Finding =>
    findingOn(item, [...path, ...ANNOTATIONS], { severity, message, reason });
  if (context.excluded.includes(namespace)) {
    // The API server excludes such a pod silently, so the command warns.
    const inject = objectAt(pod, ANNOTATIONS)?.[POD_ANNOTATIONS.inject];
    const message = `nothing is injected: the webhook excludes namespace ${namespace}; use another one, or remove the annotations under ${PREFIX}/`;
    return { object: item.object, findings: inject === undefined || inject === "false" ? [] : [reported("warning", message)] };
  }
  const injection = await injectPod(pod, namespace, context);
  const { decision, classes, pod: stored } = injection;
  const misplaced = misplacedAnnotations(item.object, path);
  const warnings = workloadWarnings({ pod, decision, classes }).filter(({ reason }) => reason !== "PodDenied");
  const findings = [
    ...misplaced.map(({ reason, message }) => findingOn(item, ANNOTATIONS, { severity: "warning", reason, message })),
    ...warnings.map(({ reason, message }) => {
      const inFiles = inTermsOfFiles(message, namespace, injection, context.facts);
      // The class is in none of the files, so it is missing, and not unreadable.
      const ofFiles = reason === "ClassUnreadable" && inFiles !== message ? "ClassMissing" : reason;
      return reported("warning", inFiles, reason === "PodWarning" ? undefined : ofFiles);
    }),
  ];
  if (decision.kind === "denied" || decision.kind === "errored") {
    const { reason, message } = decision;
    // The message about an invalid pod begins with the field, relative to the pod. The reason means nothing on the command line.
    const refusal = reason === "InvalidReview" ? reported("error", [...path, message].join(".")) : reported("error", message, reason);
    return { object: undefined, findings: [refusal, ...findings] };
  }
  if (decision.kind !== "patched" || stored === undefined) return { object: item.object, findings };
  return { object: withPodAt(item.object, path, stored), isInjected: true, findings };
}

/** Renders a class: unchanged, or rejected. */
function renderClass(item: ManifestItem, namespace: string): RenderedItem {
  const read = readClassItem(item, namespace);
  const refused = read.refused.map(({ path, message }) => findingOn(item, path, { severity: "error", message }));
  const nulls = read.nulls.map((key) => {
    const message = `spec.parameters.${key} is null: write ${key}: "" or remove the line. Client-side apply drops it; server-side apply and GitOps tools reject it`;
    return findingOn(item, ["spec", "parameters", key], { severity: "warning", reason: "NullParameter", message });
  });
  const preflight = classWarnings(read.class, { cloudName: DEFAULT_CLOUD })
    .filter(({ reason }) => reason !== "NullParameter")
    .map(({ reason, message }) => findingOn(item, ["spec"], { severity: "warning", reason, message }));
  const ofVersion = [apiVersionProblem(item), deprecationOf(item)]
    .filter((message) => message !== undefined)
    .map((message) => findingOn(item, ["apiVersion"], { severity: "warning", message }));
  return { object: refused.length > 0 ? undefined : item.object, findings: [...refused, ...ofVersion, ...nulls, ...preflight] };
}
