import type { SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import type { ClassProblem } from "../../../domain/provider-class/problem.ts";
import type { SupportedIdentity } from "../../../domain/provider-class/this-version.ts";
import { parseProviderClass } from "../../../domain/read-class.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { failed, ok, type Result } from "../../../domain/result.ts";
import { annotationProblems, pollInterval, syncMode } from "../../../domain/schedule/class-annotations.ts";
import { madeFiles } from "../../../domain/secret-objects/made-files.ts";
import { isOurs, secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { counted } from "../../../domain/words.ts";
import { offBecause } from "../../shared/class-context.ts";
import { type Colour, type Line, line, padded, paint } from "../../shared/terminal.ts";
import { lackOfObjects, parseOptionsOf, principalOf, readAccount, readOwnClass } from "../class/identity.ts";
import type { ClassFinding } from "../class/leaves.ts";
import { type PlanContext, type PlannedAction, type PlannedSecret, planSecretObject, type SecretClaims } from "./plan-secret.ts";

export const CLASS_VERDICTS = {
  ready: "the worker would write the Secrets of the class",
  off: "the worker would not sync the class. The reason is one of the following: the class has no `secretObjects`, its sync is [turned off](../runbooks/SwitchedOff.md), or `--namespaces` does not include the namespace",
  waits: "the sync mode of the class is `while-used`. The worker would write the Secrets of the class as soon as a pod mounts the class",
  refused: "the worker would reject the class, for the reason in the report",
  unknown: "you cannot read the objects on which the result depends",
} as const;

export type ClassVerdict = keyof typeof CLASS_VERDICTS;

export interface PlannedClass {
  readonly namespace: string;
  readonly name: string;
  readonly verdict: ClassVerdict;
  /** Reason that the worker would give for a refusal. */
  readonly reason?: SyncReason;
  /** Explanation; for a class that is off, the cause; otherwise an invalid annotation whose default applies. */
  readonly message?: string;
  /** Advice in one sentence. */
  readonly fix?: string;
  /** Planned Secrets; for a refused class, as they would be after the refusal is resolved. */
  readonly secrets: readonly PlannedSecret[];
}

type Verdict = Pick<PlannedClass, "verdict" | "reason" | "message" | "fix">;

/** Plans what the worker would do with all classes of the cluster or of a namespace, before it has ever run. Queries no vault. */
export async function planClasses(
  context: PlanContext,
  { classes, claims }: { readonly classes: readonly SecretProviderClass[]; readonly claims: SecretClaims },
): Promise<readonly PlannedClass[]> {
  const planned: PlannedClass[] = [];
  for (const spc of [...classes].filter(isOurs).sort(byKey)) planned.push(await planClass(context, spc, claims));
  return planned;
}

const byKey = (a: SecretProviderClass, b: SecretProviderClass): number => (keyOf(a) < keyOf(b) ? -1 : 1);

async function planClass(context: PlanContext, spc: SecretProviderClass, claims: SecretClaims): Promise<PlannedClass> {
  const { namespace = "", name } = spc.metadata;
  const off = offBecause(context.install.settings, spc);
  if (off !== undefined) return { namespace, name, verdict: "off", message: off, secrets: [] };
  const parsed = parseProviderClass(spc.spec, parseOptionsOf(context, spc));
  const made = parsed.kind === "class" ? madeFiles(parsed.providerClass.objects) : undefined;
  const secrets: PlannedSecret[] = [];
  for (const [index] of secretObjectsOf(spc).entries()) secrets.push(await planSecretObject(context, spc, index, { claims, made }));
  const refused = (await refusalOf(context, spc)) ?? withoutSecrets(secrets);
  const isWaiting = syncMode(spc, context.install.settings.syncMode) === "while-used";
  const [message] = annotationProblems(spc, pollInterval(spc, 0));
  const reported = message === undefined ? {} : { message };
  return { namespace, name, ...(refused ?? { verdict: isWaiting ? "waits" : "ready", ...reported }), secrets };
}

/** Returns the first refusal, in the worker's order. */
async function refusalOf(context: PlanContext, spc: SecretProviderClass): Promise<Verdict | undefined> {
  const read = await readOwnClass(context, spc, (mode) => identityVerdict(context, spc, mode));
  switch (read.kind) {
    case "notOurs":
      return undefined;
    case "unidentified":
      return "verdict" in read.refusal ? read.refusal : ofProblem(read.refusal);
    case "invalid":
    case "limited":
      return ofProblem(read.problem);
    case "class": {
      const problem = lackOfObjects(spc, read.providerClass.objects);
      return problem === undefined ? read.identity : ofProblem(problem);
    }
  }
}

function ofProblem({ reason, message, field, hint }: ClassProblem): Verdict {
  return refused(reason, `${field}: ${message}`, `In ${field}: ${hint}.`);
}

/** Refuses a class if the worker can write none of its Secrets, with the reason of the first one, as in the status. */
function withoutSecrets(secrets: readonly PlannedSecret[]): Verdict | undefined {
  const [first] = secrets;
  if (first?.reason === undefined || secrets.some(({ action }) => action !== "invalid")) return undefined;
  return refused(first.reason, "none of its secretObjects can produce a Secret", "Correct each secretObject as its line says.");
}

/** Fails with a refusal that comes before all checks of the objects. Succeeds with a verdict that counts only if those checks pass. */
async function identityVerdict(
  context: PlanContext,
  spc: SecretProviderClass,
  { kind }: SupportedIdentity,
): Promise<Result<Verdict | undefined, Verdict>> {
  if (kind === "managedIdentity") return ok(undefined);
  if (kind === "servicePrincipal") {
    const principal = await principalOf(context, spc);
    return principal.ok ? ok(undefined) : atOnce(ofFinding(principal.error, "CredentialsMissing"));
  }
  const seen = await readAccount(context, spc);
  if (!seen.ok) return atOnce(ofFinding(seen.error, "IdentityUnavailable"));
  const { absence, ungranted, unseen } = seen.value;
  const verdict = absence && ofFinding(absence, "IdentityUnavailable");
  if (ungranted !== undefined) return atOnce(verdict ?? ofFinding(ungranted, "IdentityUnavailable"));
  return ok(verdict ?? (unseen === undefined ? undefined : unknown(unseen)));
}

/** If the identity is not known, the class may still have a mistake for which the worker refuses it in any case. */
function atOnce(verdict: Verdict): Result<Verdict, Verdict> {
  return verdict.verdict === "unknown" ? ok(verdict) : failed(verdict);
}

/** Shorter advice than that of `doctor class`, because the plan does not go to a vault. */
const FIXES: Readonly<Partial<Record<ClassFinding["leaf"], string>>> = {
  "credentials-not-allowed": "Name a Secret that the setting --credentials-secret-names lists.",
  "account-absent": "Create the ServiceAccount, or name another one in the class's annotation service-account.",
  "account-unknown": "Name one ServiceAccount in the class's annotation service-account.",
};

function ofFinding({ leaf, state, message, fix = "" }: ClassFinding, reason: SyncReason): Verdict {
  return state === "SKIP" ? unknown(message) : refused(reason, message, FIXES[leaf] ?? fix);
}

function refused(reason: SyncReason, message: string, fix: string): Verdict {
  return { verdict: "refused", reason, message, fix };
}

function unknown(why: string): Verdict {
  return { verdict: "unknown", message: why, fix: "Run doctor with more permissions." };
}

const CLASS_COLOURS: Readonly<Record<ClassVerdict, Colour>> = {
  ready: "green",
  waits: "green",
  off: "cyan",
  refused: "red",
  unknown: "cyan",
};

const SECRET_COLOURS: Readonly<Record<PlannedAction, Colour>> = {
  create: "green",
  keep: "green",
  "take-over": "yellow",
  conflict: "red",
  invalid: "red",
  unknown: "cyan",
};

/** Renders the Secrets that the worker would write, and the reasons why it would not write others. */
export function planText(classes: readonly PlannedClass[]): readonly Line[] {
  const lines = classes.flatMap(classLines);
  const isUnknown = classes.some(({ verdict, secrets }) => verdict === "unknown" || secrets.some(({ action }) => action === "unknown"));
  const ask = isUnknown ? [line`to plan what is unknown, get the permissions that you lack`] : [];
  return [...lines, ...(lines.length === 0 ? [] : [line``]), ...ask, line`${summaryOf(classes)}`];
}

/** Omits the advice if the user lacks a permission: the text gives that advice once. */
function fixText(fix: string | undefined, isUnknown: boolean): string {
  return isUnknown ? "" : (fix ?? "");
}

function classLines({ namespace, name, verdict, reason, message, fix: advice, secrets }: PlannedClass): readonly Line[] {
  const fix = fixText(advice, verdict === "unknown");
  const why = message === undefined ? "" : line` ${reason === undefined ? "" : line`${reason}: `}${message}`;
  return [
    line`${padded(paint(CLASS_COLOURS[verdict], verdict), 8)}  class ${namespace}/${name}${why}`,
    ...(fix === "" ? [] : [line`${padded("", 10)}-> ${fix}`]),
    ...secrets.flatMap((secret) => secretLines(secret, verdict === "refused")),
  ];
}

/** `isRefused`: the worker writes nothing until the refusal of the class is resolved. */
function secretLines({ name, type, action, reason, message, fix: advice }: PlannedSecret, isRefused: boolean): readonly Line[] {
  const fix = fixText(advice, action === "unknown");
  const later = isRefused && ["create", "take-over"].includes(action) ? line`, once this is corrected` : line``;
  const why = message === undefined ? later : line`${later}: ${reason === undefined ? "" : line`${reason}: `}${message}`;
  return [
    line`${padded("", 10)}${padded(paint(SECRET_COLOURS[action], action), 9)}  Secret ${name} (${type})${why}`,
    ...(fix === "" ? [] : [line`${padded("", 21)}-> ${fix}`]),
  ];
}

/** Counts a Secret as created only if its class is ready: the worker would not write the others yet. */
function summaryOf(classes: readonly PlannedClass[]): string {
  const written = classes.filter(({ verdict }) => verdict === "ready");
  const created = written.flatMap(({ namespace, secrets }) => secrets.filter(({ action }) => action === "create").map(() => namespace));
  const count = (action: PlannedAction): number =>
    classes.flatMap(({ secrets }) => secrets).filter((secret) => secret.action === action).length;
  const refused = classes.filter(({ verdict }) => verdict === "refused").length;
  return `${counted(created.length, "Secret")} would be created in ${counted(new Set(created).size, "namespace")}; ${count("conflict")} in conflict, ${count("invalid")} invalid; ${refused} of ${classes.length} classes refused`;
}
