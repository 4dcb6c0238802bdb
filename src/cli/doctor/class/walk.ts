import type { ObjectFile } from "../../../domain/content/object-file.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import { unseenCloudFile } from "../../../domain/provider-class/cloud-file.ts";
import { openProviderClass, type ProviderClass } from "../../../domain/provider-class/parse.ts";
import { type ClassProblem, describeProblem } from "../../../domain/provider-class/problem.ts";
import { buildSecrets } from "../../../domain/secret-objects/build.ts";
import { driverViolation, furtherViolation } from "../../../domain/secret-objects/rules.ts";
import { type ClassContext, insideTheWorker } from "./class-look.ts";
import { findIdentity } from "./identity.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";
import { limitOf } from "./limits.ts";
import { checkSecrets } from "./mirrored-secrets.ts";
import { checkNetwork } from "./network.ts";
import { checkObjects, type VaultLook } from "./objects.ts";
import { checkStatus } from "./status.ts";

/** One class, from its text to its Secrets. */
export interface ClassWalk {
  readonly namespace: string;
  readonly name: string;
  readonly findings: readonly ClassFinding[];
}

/** A class that may not be there. */
export async function walkNamed(context: ClassContext, ref: Required<ObjectRef>): Promise<ClassWalk> {
  const named = `SecretProviderClass ${ref.namespace}/${ref.name}`;
  const look = await context.viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
  if (look.kind === "seen") return walkClass(context, look.value);
  const finding =
    look.kind === "unseen"
      ? found("class-unreadable", look.why, `Ask for the right to get ${named}.`)
      : found(
          "class-absent",
          `there is no ${named}`,
          "Create it, or correct the name; after the loss of its CRD see keyvault-injector restore --list.",
        );
  return { ...ref, findings: [finding] };
}

/** Parse, identity, network, token, permission, objects; then, whatever came of the vault, status and Secrets. */
export async function walkClass(context: ClassContext, provider: SecretProviderClass): Promise<ClassWalk> {
  const { namespace = "", name } = provider.metadata;
  const asked = await walkToVault(context, provider);
  if (asked === "notOurs") {
    const message = `provider ${provider.spec?.provider ?? ""}: nothing of this class is ours`;
    return { namespace, name, findings: [fineLeaf("class-not-azure", message)] };
  }
  const said = await checkStatus(context, provider);
  const secrets =
    said.status === undefined ? [] : await checkSecrets(context, provider, { secrets: said.status.secrets, files: asked.files });
  return { namespace, name, findings: [...asked.findings, ...said.findings, ...secrets] };
}

const nothingAsked = (findings: readonly ClassFinding[]): VaultLook => ({ findings, files: [], isComplete: false });

async function walkToVault(context: ClassContext, provider: SecretProviderClass): Promise<VaultLook | "notOurs"> {
  const { cloudName } = context.settings;
  const readCloudFile = context.readCloudFile ?? unseenCloudFile;
  const opened = openProviderClass(provider.spec, { owner: keyOf(provider), cloudName, readCloudFile });
  if (opened.kind === "notOurs") return "notOurs";
  if (opened.kind === "invalid") return nothingAsked([problemLeaf(opened.problem)]);
  const parsed = opened.readObjects();
  if (!parsed.ok) return nothingAsked([problemLeaf(parsed.error)]);
  const limited = await limitOf(context, provider, { mode: opened.identity.kind, address: parsed.value.address });
  if (limited !== undefined) return nothingAsked([found("class-limited", describeProblem(limited), asSentence(limited))]);
  const written = [...violationsOf(provider)];
  if (parsed.value.address.customScope !== undefined && context.readCloudFile === undefined) {
    const fix = `Look from the worker's own pod: ${insideTheWorker(context.namespace, keyOf(provider))}.`;
    return nothingAsked([
      ...written,
      found("cloud-elsewhere", "the class names a cloud file that only the worker's pod has: the vault is not asked", fix),
    ]);
  }
  const first = written[0] ?? fineLeaf("class-ok", `${parsed.value.objects.length} objects of ${parsed.value.address.vaultUrl}`);
  // Nothing is asked, so nobody's credentials are needed.
  if (context.azure === undefined) return nothingAsked([first, ...written.slice(1)]);
  const identity = await findIdentity(context, provider, parsed.value.identity);
  const before = [first, ...written.slice(1), ...identity.findings];
  if (identity.identity === undefined) return nothingAsked(before);
  const looked = await lookIntoVault(context, provider, { parsed: parsed.value, identity: identity.identity });
  return { ...looked, findings: [...before, ...looked.findings] };
}

interface Asking {
  readonly parsed: ProviderClass;
  readonly identity: Parameters<typeof checkObjects>[1]["identity"];
}

async function lookIntoVault(context: ClassContext, provider: SecretProviderClass, { parsed, identity }: Asking): Promise<VaultLook> {
  const { azure, signal } = context;
  if (azure === undefined || parsed.objects.length === 0) return nothingAsked([]);
  const signsIn = identity.kind !== "managedIdentity";
  const network = await checkNetwork(azure, parsed.address, { signsIn, signal });
  if (network.some(({ state }) => state !== "OK")) return nothingAsked(network);
  const { namespace = "" } = provider.metadata;
  const looked = await checkObjects(context, { namespace, address: parsed.address, identity, objects: parsed.objects });
  const made = looked.isComplete ? madeSecrets(context, provider, looked.files) : [];
  return { ...looked, findings: [...network, ...looked.findings, ...made] };
}

/** What the class says of its Secrets, before any object is looked at. */
function violationsOf({ spec }: SecretProviderClass): readonly ClassFinding[] {
  return (spec?.secretObjects ?? []).flatMap((secretObject, index) => {
    const violation = driverViolation(secretObject) ?? furtherViolation(secretObject);
    return violation === undefined ? [] : [secretObjectLeaf({ ...violation, field: `spec.secretObjects[${index}].${violation.field}` })];
  });
}

/** What comes out of the objects that the vault gave; nothing of it is kept. */
function madeSecrets({ worker }: ClassContext, provider: SecretProviderClass, files: readonly ObjectFile[]): readonly ClassFinding[] {
  const known = new Set(violationsOf(provider).map(({ message }) => message));
  return buildSecrets(provider.spec?.secretObjects ?? [], files, worker.pki)
    .flatMap((outcome) => (outcome.kind === "desired" ? [] : [secretObjectLeaf(outcome.problem)]))
    .filter(({ message }) => !known.has(message));
}

function secretObjectLeaf(problem: { readonly message: string; readonly field: string; readonly hint: string }): ClassFinding {
  return found("secret-object-invalid", `${problem.field}: ${problem.message}`, asSentence(problem));
}

function problemLeaf(problem: ClassProblem): ClassFinding {
  const message = `${problem.field}: ${problem.message}`;
  if (problem.reason === "IdentityUnavailable") return found("identity-unsupported", message, asSentence(problem));
  return found("class-invalid", message, asSentence(problem));
}

/** A parser's hint begins small and has no full stop. */
function asSentence({ field, hint }: { readonly field: string; readonly hint: string }): string {
  return `In ${field}: ${hint}.`;
}
