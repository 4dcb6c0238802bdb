import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { convertObjects } from "../../domain/convert/convert.ts";
import type { PeerObject } from "../../domain/convert/peer-object.ts";
import { valueAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { itemsOf, type ManifestItem } from "../manifest/items.ts";
import { toJson, toYaml } from "../manifest/yaml.ts";
import {
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
} from "../shared/command.ts";
import { type Finding, fileFindings, findingOn, type ManifestFiles, readNamedFiles, showFinding } from "../shared/manifest-files.ts";
import { type OptionValues, valueOf } from "../shared/options.ts";

const FORMATS = ["yaml", "json"] as const;

export const convert: Command = {
  name: "convert",
  summary: "Convert objects of other projects, such as External Secrets Operator, to SecretProviderClasses.",
  usage: "FILE… | -f FILE… | -k DIR",
  details: [
    "Reads ExternalSecrets with their SecretStores, AzureKeyVaultSecrets, SecretSyncs with their classes, AKVSyncs, and classes of the CSI",
    "driver's own sync. The command ignores other objects. If it cannot convert a field, it reports the file, the line, and an alternative,",
    "and omits the whole Secret or, with --partial, only the key. It does not contact a cluster or read Secrets in the files.",
    "",
    "yaml prints one document for each class. json prints one List.",
    "Exit code: 0 if everything is converted; 1 if not or, with --fail-on-warnings, if there is a warning; 2 if a file or document is",
    "unreadable, or contains nothing to convert.",
  ],
  examples: [
    {
      result: "Convert a folder of manifests, and adopt the existing Secrets",
      typed: "keyvault-injector convert --adopt -R -f manifests/ > classes.yaml",
    },
    {
      result: "Convert the objects in the cluster",
      typed: "kubectl get externalsecrets,secretstores -n shop -o yaml | keyvault-injector convert --adopt -f -",
    },
  ],
  options: [
    "filename",
    "recursive",
    "kustomize",
    "namespace",
    "output",
    "partial",
    "adopt",
    "tenant-id",
    "client-id",
    "service-account",
    "identity-id",
    "fail-on-warnings",
  ],
  formats: FORMATS,
  optionHelp: { namespace: "Namespace of objects that do not specify one. Default: their classes get no namespace." },
  arguments: Number.POSITIVE_INFINITY,
  run: runConvert,
};

async function runConvert(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const read = await readNamedFiles(input, context.inputs);
  const wrong = fileFindings(read).map(showFinding);
  if (read.documents.length === 0) return { code: EXIT.unusable, output: "", notes: wrong };
  const result = convertFiles(read, input.options);
  return { ...result, notes: [...wrong, ...result.notes] };
}

function convertFiles({ documents, problems, warnings }: ManifestFiles, options: OptionValues): CommandResult {
  const items = documents.flatMap(itemsOf);
  const places = new Map(items.map((item) => [peerObject(item, valueOf(options, "namespace")), item] as const));
  const { classes, remarks, outcomes } = convertObjects([...places.keys()], {
    tenantId: valueOf(options, "tenant-id"),
    clientId: valueOf(options, "client-id"),
    serviceAccount: valueOf(options, "service-account"),
    identityId: valueOf(options, "identity-id"),
    isPartial: options.partial !== undefined,
    isAdopting: options.adopt !== undefined,
  });
  if (outcomes.length === 0 && remarks.length === 0 && problems.length === 0)
    throw new CommandFailure(
      "nothing to convert: name files with ExternalSecrets, AzureKeyVaultSecrets, SecretSyncs, AKVSyncs or SecretProviderClasses",
    );
  const findings = remarks.flatMap(({ on, path, severity, message }) => {
    const item = places.get(on);
    return item === undefined ? [] : [findingOn(item, path, { severity, message })];
  });
  const isWarned = findings.length + warnings.length > 0 && options["fail-on-warnings"] !== undefined;
  const isWrong = isWarned || findings.some(({ severity }) => severity === "error");
  return {
    code: problems.length > 0 ? EXIT.unusable : isWrong ? EXIT.found : EXIT.fine,
    output: WRITERS[formatOf(options, FORMATS)](classes),
    notes: [...inOrder(findings, items).map(showFinding), ...grantNotes(classes)],
  };
}

/** Sorts findings by their place in the files. */
function inOrder(findings: readonly Finding[], items: readonly ManifestItem[]): readonly Finding[] {
  const files = [...new Set(items.map(({ place }) => place.file))];
  const before = ({ place: one }: Finding, { place: other }: Finding): number =>
    files.indexOf(one.file) - files.indexOf(other.file) || one.line - other.line;
  return [...findings].sort(before);
}

function peerObject({ object, kind, name, namespace }: ManifestItem, otherwise: string | undefined): PeerObject {
  return { object, kind, name, namespace: namespace ?? otherwise };
}

const WRITERS: Readonly<Record<(typeof FORMATS)[number], (classes: readonly JsonObject[]) => string>> = {
  yaml: (classes) => classes.map(toYaml).join("---\n"),
  json: (classes) => toJson({ apiVersion: "v1", kind: "List", items: classes }),
};

/** Returns a note if a class uses an identity that its Namespace must grant to the worker first. */
function grantNotes(classes: readonly JsonObject[]): readonly string[] {
  const lends = classes.filter(
    (spc) =>
      valueAt(spc, ["metadata", "annotations", CLASS_ANNOTATIONS.serviceAccount]) !== undefined ||
      valueAt(spc, ["spec", "parameters", "useVMManagedIdentity"]) === "true",
  );
  if (lends.length === 0) return [];
  return [
    "note: some classes use a ServiceAccount or a managed identity, which their Namespace must grant to the worker: apply the classes, then run keyvault-injector grants",
  ];
}
