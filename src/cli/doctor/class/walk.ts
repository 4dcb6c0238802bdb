import type { ObjectFile } from "../../../domain/content/object-file.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import { classDefect } from "../../../domain/preflight/class-defect.ts";
import type { ClassObject } from "../../../domain/provider-class/object-rules.ts";
import { type ClassProblem, describeProblem } from "../../../domain/provider-class/problem.ts";
import type { ProviderClass } from "../../../domain/read-class.ts";
import { ok } from "../../../domain/result.ts";
import { secretObjectEntries } from "../../../domain/secret-data/data-entries.ts";
import { buildSecrets } from "../../../domain/secret-objects/build.ts";
import type { SecretObjectProblem } from "../../../domain/secret-objects/desired-secret.ts";
import { placeOf } from "../../../domain/secret-objects/expression-problem.ts";
import { absentFile, madeFiles } from "../../../domain/secret-objects/made-files.ts";
import { textViolation } from "../../../domain/secret-objects/rules.ts";
import { conditionOf } from "../../../domain/sync/class-status.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { counted } from "../../../domain/words.ts";
import { classAbsence, NO_CLASSES_SERVED } from "../../shared/absence.ts";
import { type ClassContext, insideTheWorker, isServed } from "../../shared/class-context.ts";
import { CommandFailure } from "../../shared/command.ts";
import { isUnansweredFailure } from "../../shared/repeated-reads.ts";
import { type Line, line, padded, paint } from "../../shared/terminal.ts";
import { listed, type Viewer } from "../../shared/viewer.ts";
import { seenFromElsewhere } from "./elsewhere.ts";
import { lackOfObjects, lookUpIdentity, readOwnClass } from "./identity.ts";
import { type CheckState, type ClassFinding, fineLeaf, found, STATE_COLOURS } from "./leaves.ts";
import { checkNetwork } from "./network.ts";
import { checkObjects, type VaultReading } from "./objects.ts";
import { checkClassRestarts } from "./restarts.ts";
import { checkSecrets, checkStatus } from "./secrets.ts";

/** Findings about one class, from its text to its Secrets. */
export interface ClassWalk {
  readonly namespace: string;
  readonly name: string;
  readonly findings: readonly ClassFinding[];
}

/** Checks a class that may not exist. */
export async function walkNamed(context: ClassContext, ref: Required<ObjectRef>): Promise<ClassWalk> {
  const named = `SecretProviderClass ${ref.namespace}/${ref.name}`;
  const reading = await context.viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
  if (reading.kind === "seen") return walkClass(context, reading.value);
  if (reading.kind === "unserved") throw new CommandFailure(NO_CLASSES_SERVED);
  const finding =
    reading.kind === "unseen"
      ? found("class-unreadable", reading.why, `Ask for permission to get ${named}.`)
      : found(
          "class-absent",
          await classAbsence(context.viewer, ref),
          "Create the class, or correct its name. If its CRD was deleted, run: keyvault-injector restore --list",
        );
  return { ...ref, findings: [finding] };
}

/** Checks text, identity, network, token, permission, and objects; then, even if the vault does not answer, status and Secrets. */
export async function walkClass(context: ClassContext, spc: SecretProviderClass): Promise<ClassWalk> {
  const { namespace = "", name } = spc.metadata;
  const asked = await walkToVault(context, spc);
  if (asked === "notOurs") return { namespace, name, findings: [foreignLeaf(context, spc)] };
  const said = await checkStatus(context, spc);
  const toVault = await seenFromElsewhere(context, spc, { ...asked, status: said.status });
  const secrets = said.status === undefined ? [] : await checkSecrets(context, spc, { status: said.status, files: asked.files });
  return { namespace, name, findings: [...toVault, said.finding, ...checkClassRestarts(said.status), ...secrets] };
}

const nothingAsked = (findings: readonly ClassFinding[]): VaultReading => ({ findings, files: [], isComplete: false });

function foreignLeaf({ install }: ClassContext, spc: SecretProviderClass): ClassFinding {
  const mistaken = classDefect(spc, install.settings.limits);
  if (mistaken !== undefined) return found("class-invalid", mistaken.message, "In spec.provider: write azure.");
  return fineLeaf("class-not-azure", `provider ${spc.spec?.provider ?? ""}: keyvault-injector ignores the class`);
}

async function walkToVault(context: ClassContext, spc: SecretProviderClass): Promise<VaultReading | "notOurs"> {
  // The walk looks up the identity later, to show all that the text of the class shows before it.
  const read = await readOwnClass<undefined, never>(context, spc, async () => ok(undefined));
  switch (read.kind) {
    case "notOurs":
      return "notOurs";
    case "unidentified":
      return nothingAsked([limitLeaf(read.refusal)]);
    case "limited":
      return nothingAsked([limitLeaf(read.problem)]);
    case "invalid":
      return nothingAsked([problemLeaf(read.problem)]);
    case "class":
      return walkFromText(context, spc, read.providerClass);
  }
}

async function walkFromText(context: ClassContext, spc: SecretProviderClass, providerClass: ProviderClass): Promise<VaultReading> {
  const { address, objects, identity: mode } = providerClass;
  const nothing = lackOfObjects(spc, objects);
  if (nothing !== undefined) return nothingAsked([problemLeaf(nothing)]);
  const written = violationsOf(spc, objects).flatMap((violation) => (violation === undefined ? [] : [secretObjectLeaf(violation)]));
  if (address.customScope !== undefined && context.azure?.readCloudFile === undefined) {
    const fix = `Check from the worker's own pod: ${insideTheWorker(context.install.namespace, keyOf(spc))}`;
    const message = "the class names a cloud file that only the worker's pod has, so the vault was not queried";
    return nothingAsked([...written, found("cloud-elsewhere", message, fix)]);
  }
  const text =
    written.length > 0
      ? written
      : [fineLeaf("class-ok", `${objects.length === 0 ? "selected objects" : counted(objects.length, "object")} of ${address.vaultUrl}`)];
  // Without a query to the vault, no credentials are needed.
  if (context.azure === undefined) return nothingAsked(text);
  const { identity, findings } = await lookUpIdentity(context, spc, mode);
  const before = [...text, ...findings];
  if (identity === undefined) return nothingAsked(before);
  const fromVault = await readVault(context, spc, providerClass, identity);
  return { ...fromVault, findings: [...before, ...fromVault.findings] };
}

async function readVault(
  context: ClassContext,
  spc: SecretProviderClass,
  parsed: ProviderClass,
  identity: VaultIdentity,
): Promise<VaultReading> {
  const { azure, signal } = context;
  if (azure === undefined || parsed.objects.length === 0) return nothingAsked([]);
  const signsIn = identity.kind !== "managedIdentity" && identity.kind !== "identityBinding";
  const network = await checkNetwork(azure, parsed.address, { signsIn, signal });
  if (network.some(({ state }) => state !== "OK")) {
    // The sign-in service comes first, and the first failure is the last finding.
    return { ...nothingAsked(network), unreached: signsIn && network.length === 1 ? "signIn" : "vault" };
  }
  const fromVault = await checkObjects(context, spc.metadata.namespace ?? "", parsed, identity);
  const made = fromVault.isComplete ? madeSecrets(context, spc, { objects: parsed.objects, files: fromVault.files }) : [];
  return { ...fromVault, findings: [...network, ...fromVault.findings, ...made] };
}

/** Returns, for each secretObject, the problem that the text of the class shows without reading any object. */
function violationsOf({ spec }: SecretProviderClass, objects: readonly ClassObject[]): readonly (SecretObjectProblem | undefined)[] {
  const made = madeFiles(objects);
  return secretObjectEntries(spec).map((secretObject, index) => {
    const violation = textViolation(secretObject) ?? absentFile(secretObject, made);
    return violation && { ...violation, field: placeOf(index, violation.field) };
  });
}

/** Builds the Secrets from the vault's objects to report problems, and discards them. Skips secretObjects whose text is invalid. */
function madeSecrets({ worker }: ClassContext, spc: SecretProviderClass, { objects, files }: VaultObjects): readonly ClassFinding[] {
  const known = violationsOf(spc, objects);
  return buildSecrets(secretObjectEntries(spc.spec), files, worker.pki).flatMap((outcome, index) =>
    outcome.kind === "desired" || known[index] !== undefined ? [] : [secretObjectLeaf(outcome.problem)],
  );
}

interface VaultObjects {
  readonly objects: readonly ClassObject[];
  readonly files: readonly ObjectFile[];
}

function secretObjectLeaf(problem: { readonly message: string; readonly field: string; readonly hint: string }): ClassFinding {
  return found("secret-object-invalid", `${problem.field}: ${problem.message}`, asSentence(problem));
}

/** The operator's settings, or the grants of the Namespace, do not allow the class. */
function limitLeaf(problem: ClassProblem): ClassFinding {
  return found("class-limited", describeProblem(problem), asSentence(problem));
}

export function problemLeaf(problem: ClassProblem): ClassFinding {
  const message = `${problem.field}: ${problem.message}`;
  if (problem.reason === "IdentityUnavailable") return found("identity-unsupported", message, asSentence(problem));
  return found("class-invalid", message, asSentence(problem));
}

/** Turns a parser's hint, which begins in lower case and has no full stop, into a sentence. */
function asSentence({ field, hint }: { readonly field: string; readonly hint: string }): string {
  return `In ${field}: ${hint}.`;
}

/** Walk with its worst state, and one sentence that says what to do first. */
export interface ReportedWalk extends ClassWalk {
  readonly state: CheckState;
  /** Absent if the user has nothing to do. */
  readonly next?: string;
}

/**
 * Findings from the most important kind to the least. Of one kind, the first finding counts, because later ones are often its consequences.
 * A failed status comes after other failures, because it repeats one of them.
 */
const WORST_FIRST: readonly ((finding: ClassFinding) => boolean)[] = [
  ({ state, step }) => state === "FAIL" && step !== "status",
  ({ state }) => state === "FAIL",
  ({ state }) => state === "WARN",
  ({ state }) => state === "SKIP",
];

export function reportedWalk(walk: ClassWalk): ReportedWalk {
  const worst = WORST_FIRST.map((isIt) => walk.findings.find(isIt)).find((finding) => finding !== undefined);
  if (worst?.fix === undefined) return { ...walk, state: worst?.state ?? "OK" };
  return { ...walk, state: worst.state, next: worst.fix };
}

/** Renders a walk for people: its steps, and what to do. */
export function walkText({ namespace, name, findings, next }: ReportedWalk): readonly Line[] {
  const lines = findings.map(({ leaf, step, state, message }) => {
    const reported = state === "OK" ? message : `${leaf}: ${message}`;
    return line`  ${padded(paint(STATE_COLOURS[state], state), 4)}  ${padded(step, 10)}  ${reported}`;
  });
  const end = next === undefined ? "nothing to do" : `to do: ${next}`;
  return [line`class ${namespace}/${name}`, ...lines, line`  ${paint("bold", end)}`, line``];
}

/** Maximum number of walks. More would take minutes, and a part of the vaults' budget. */
const MOST_CLASSES = 20;

interface SomeWalks {
  readonly walks: readonly ReportedWalk[];
  /** Number of classes that were not walked. */
  readonly left: number;
  /** Message of the read that the API server could not answer, and that ended the walks. */
  readonly unanswered?: string;
}

/**
 * Walks failing classes first. Walks one class at a time, to spare the vaults. `lists` returns the lists that the checks have read; each
 * walk reads statuses and Secrets again.
 */
export async function walkSome(context: ClassContext, lists: Pick<Viewer, "all">): Promise<SomeWalks> {
  const reading = await lists.all<SecretProviderClass>(RESOURCES.secretProviderClasses);
  if (reading.kind !== "seen") return { walks: [], left: 0 };
  const statuses = await lists.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs);
  const failing = new Set(
    listed(statuses)
      .filter(({ status }) => conditionOf(readStatus(status), "Synced")?.status === "False")
      .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
  );
  const rank = (spc: SecretProviderClass): string => `${failing.has(keyOf(spc)) ? 0 : 1} ${keyOf(spc)}`;
  const mirrored = reading.value.filter(
    (spc) => secretObjectsOf(spc).length > 0 && isServed(context.install.settings, spc.metadata.namespace ?? ""),
  );
  const inOrder = [...mirrored].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const walks: ReportedWalk[] = [];
  let unanswered: string | undefined;
  try {
    for await (const walk of walksOf(context, inOrder.slice(0, MOST_CLASSES))) walks.push(walk);
  } catch (error) {
    if (!isUnansweredFailure(error)) throw error;
    unanswered = error.message;
  }
  return { walks, left: inOrder.length - walks.length, ...(unanswered === undefined ? {} : { unanswered }) };
}

export function walkAll(context: ClassContext, classes: readonly SecretProviderClass[]): Promise<readonly ReportedWalk[]> {
  return Array.fromAsync(walksOf(context, classes));
}

async function* walksOf(context: ClassContext, classes: readonly SecretProviderClass[]): AsyncGenerator<ReportedWalk> {
  for (const [index, spc] of classes.entries()) {
    context.reportProgress(`class ${keyOf(spc)} (${index + 1} of ${classes.length})`);
    yield reportedWalk(await walkClass(context, spc));
  }
}
