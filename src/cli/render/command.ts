import type { JsonObject } from "../../domain/json-object.ts";
import { type Cluster, createViewer } from "../cluster.ts";
import { type Command, type CommandContext, CommandFailure, type CommandInput, type CommandResult, EXIT, formatOf } from "../command.ts";
import { createFacts } from "../facts.ts";
import { DEFAULT_CLOUD, EXCLUDED_NAMESPACES, INSTALL_NAMESPACE } from "../install.ts";
import type { ManifestDocument } from "../manifest/documents.ts";
import { itemsOf, withItems } from "../manifest/items.ts";
import { readFiles } from "../manifest/read-files.ts";
import { toYaml } from "../manifest/yaml.ts";
import { openIfConfigured } from "../open-cluster.ts";
import { valueOf } from "../options.ts";
import { unifiedDiff } from "./diff.ts";
import { type Finding, showFinding } from "./finding.ts";
import { type RenderContext, type RenderedItem, renderItem } from "./render-item.ts";

const FORMATS = ["yaml", "json", "diff"] as const;
type Format = (typeof FORMATS)[number];

export const render: Command = {
  name: "render",
  summary: "Print manifests as the API server would store them, with what is injected into their pods.",
  usage: "-f FILE [-f FILE]…",
  details: [
    "Pods and the pod templates of workloads get what the webhook would add, by the webhook's own code; every other object is",
    "printed as it is. Classes and Namespaces among the files count before those of the cluster. Without a cluster in the",
    "kubeconfig, or with --offline, the files are all that is known.",
    "",
    "Formats: yaml (default), json (one List), diff (what changes, in colour on a terminal).",
    "Exit code: 0, or 1 where something would be denied (it is left out of the output) or, with --fail-on-warnings, is warned",
    "about, or 2 where a file cannot be read.",
  ],
  options: ["filename", "namespace", "output", "offline", "strict-annotations", "fail-on-warnings", "install-namespace", "kubeconfig"],
  arguments: 0,
  run: runRender,
};

async function runRender({ options }: CommandInput, context: CommandContext): Promise<CommandResult> {
  const format = formatOf(options, { command: "render", formats: FORMATS });
  const files = options.filename ?? [];
  if (files.length === 0) throw new CommandFailure("no manifests are named; write -f FILE, or -f - for standard input");
  const { documents, problems } = await readFiles(files, context.readInput);
  if (problems.length > 0) {
    const notes = problems.map(({ place, message }) =>
      showFinding({ severity: "error", place, object: undefined, reason: undefined, message }),
    );
    return { code: EXIT.unusable, output: "", notes };
  }
  const { cluster, notes } = await openIfConfigured(context, options);
  try {
    const result = await renderDocuments(documents, { options, context, cluster, format });
    return { ...result, notes: [...notes, ...result.notes] };
  } finally {
    await cluster?.close();
  }
}

interface Rendering extends Pick<CommandInput, "options"> {
  readonly context: CommandContext;
  readonly cluster: Cluster | undefined;
  readonly format: Format;
}

async function renderDocuments(documents: readonly ManifestDocument[], rendering: Rendering): Promise<CommandResult> {
  const { options, context, cluster, format } = rendering;
  const namespace = valueOf(options, "namespace") ?? cluster?.namespace ?? "default";
  const items = documents.flatMap(itemsOf);
  const facts = createFacts(items, cluster && createViewer(cluster, context.signal), namespace);
  // What is read is read with the user's own rights.
  const settings = { version: context.version, strictAnnotations: options["strict-annotations"] !== undefined, isCallerTrusted: true };
  const installNamespace = valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE;
  const excluded = [...EXCLUDED_NAMESPACES, installNamespace];
  const renderContext: RenderContext = { settings, facts, namespace, excluded, cloudName: DEFAULT_CLOUD };
  const printed: Printed[] = [];
  const findings: Finding[] = [];
  for (const document of documents) {
    const rendered: RenderedItem[] = [];
    for (const item of itemsOf(document)) rendered.push(await renderItem(item, renderContext));
    findings.push(...rendered.flatMap((each) => each.findings));
    printed.push({
      document,
      object: withItems(
        document,
        rendered.map(({ object }) => object),
      ),
    });
  }
  const fails = (severity: Finding["severity"]): boolean => severity === "error" || options["fail-on-warnings"] !== undefined;
  return {
    code: findings.some(({ severity }) => fails(severity)) ? EXIT.found : EXIT.fine,
    output: WRITERS[format](printed, context.hasColour),
    notes: [...facts.unseen().map((why) => `warning: ${why}: what depends on it is not known`), ...findings.map(showFinding)],
  };
}

interface Printed {
  readonly document: ManifestDocument;
  readonly object: JsonObject | undefined;
}

const WRITERS: Readonly<Record<Format, (printed: readonly Printed[], hasColour: boolean) => string>> = {
  yaml: (printed) => objectsOf(printed).map(toYaml).join("---\n"),
  json: (printed) => `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objectsOf(printed) }, null, 2)}\n`,
  diff: (printed, hasColour) =>
    printed
      .filter(({ object }) => object !== undefined)
      .map(({ document, object }) => unifiedDiff(toYaml(document.object), toYaml(object), { name: nameOf(document), hasColour }))
      .join(""),
};

function objectsOf(printed: readonly Printed[]): readonly JsonObject[] {
  return printed.map(({ object }) => object).filter((object) => object !== undefined);
}

function nameOf({ place, number }: ManifestDocument): string {
  return `${place.file === "-" ? "standard input" : place.file} document ${number}`;
}
