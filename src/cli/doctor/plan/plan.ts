import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import type { ProviderClass } from "../../../domain/provider-class/parse.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { annotationProblems, pollInterval, syncMode } from "../../../domain/schedule/class-annotations.ts";
import { isOurs, secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { counted } from "../../../domain/words.ts";
import { offBecause } from "../../shared/class-context.ts";
import { type Colour, type Line, line, padded, paint } from "../../shared/terminal.ts";
import { accountOf, principalOf, readClass } from "../class/identity.ts";
import type { ClassFinding } from "../class/leaves.ts";
import { type PlanContext, type PlannedSecret, planSecretObject, type SecretAction, type SecretClaims } from "./plan-secret.ts";

export const CLASS_VERDICTS = {
  ready: "the worker would write the Secrets of the class",
  off: "the worker would not sync the class, because of missing secretObjects, sync mode never, --sync-secret=false, or a namespace that --namespaces does not include",
  waits: "the worker would write its Secrets once a pod mounts the class (while-used)",
  refused: "the worker would reject the class, for the given reason",
  unknown: "you cannot read the objects on which the result depends",
} as const;

export type ClassVerdict = keyof typeof CLASS_VERDICTS;

export interface PlannedClass {
  readonly namespace: string;
  readonly name: string;
  readonly verdict: ClassVerdict;
  /** Of a refusal: what the worker would say. */
  readonly reason?: SyncReason;
  /** Without a reason: an annotation whose default counts. */
  readonly message?: string;
  /** One sentence: what to do. */
  readonly fix?: string;
  /** What would become of each Secret; of a refused class, once the refusal is dealt with. */
  readonly secrets: readonly PlannedSecret[];
}

type Verdict = Pick<PlannedClass, "verdict" | "reason" | "message" | "fix">;

/** What the worker would do with every class of the cluster, or of a namespace, before it has ever run. No vault is asked. */
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
  if (offBecause(context.install.settings, spc) !== undefined) return { namespace, name, verdict: "off", secrets: [] };
  const secrets: PlannedSecret[] = [];
  for (const [index] of secretObjectsOf(spc).entries()) secrets.push(await planSecretObject(context, spc, index, claims));
  const refused = await refusalOf(context, spc);
  const isWaiting = syncMode(spc, context.install.settings.syncMode) === "while-used";
  const [message] = annotationProblems(spc, pollInterval(spc, 0));
  const told = message === undefined ? {} : { message };
  return { namespace, name, ...(refused ?? { verdict: isWaiting ? "waits" : "ready", ...told }), secrets };
}

/** In the worker's order: parameters, identity, objects, limits. */
async function refusalOf(context: PlanContext, spc: SecretProviderClass): Promise<Verdict | undefined> {
  const read = await readClass(context, spc);
  if (read.kind === "notOurs") return undefined;
  if (read.kind === "class") return identityVerdict(context, spc, read.providerClass);
  const { reason, message, field, hint } = read.problem;
  return refused(reason, `${field}: ${message}`, `In ${field}: ${hint}.`);
}

async function identityVerdict(context: PlanContext, spc: SecretProviderClass, { identity }: ProviderClass): Promise<Verdict | undefined> {
  if (identity.kind === "managedIdentity") return undefined;
  if (identity.kind === "servicePrincipal") {
    const principal = await principalOf(context, spc);
    return principal.ok ? undefined : ofFinding(principal.error, "CredentialsMissing");
  }
  const account = await accountOf(context, spc);
  if (!account.ok) return ofFinding(account.error, "IdentityUnavailable");
  // One that is not there was refused above.
  const look = await context.viewer.object<KubeObject>(RESOURCES.serviceAccounts, account.value);
  return look.kind === "unseen" ? unknown(look.why) : undefined;
}

/** What to do where a shorter word will do: nobody walks to a vault. */
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
  return { verdict: "unknown", message: why, fix: "Run doctor with more rights." };
}

const CLASS_COLOURS: Readonly<Record<ClassVerdict, Colour>> = {
  ready: "green",
  waits: "green",
  off: "cyan",
  refused: "red",
  unknown: "cyan",
};

const SECRET_COLOURS: Readonly<Record<SecretAction, Colour>> = {
  create: "green",
  keep: "green",
  "take-over": "yellow",
  conflict: "red",
  invalid: "red",
  unknown: "cyan",
};

/** What would be written, and what would not be and why. */
export function planText(classes: readonly PlannedClass[]): readonly Line[] {
  const lines = classes.flatMap(classLines);
  return [...lines, ...(lines.length === 0 ? [] : [line``]), line`${summaryOf(classes)}`];
}

function classLines({ namespace, name, verdict, reason, message, fix, secrets }: PlannedClass): readonly Line[] {
  const why = message === undefined ? "" : line` ${reason === undefined ? "" : line`${reason}: `}${message}`;
  return [
    line`${padded(paint(CLASS_COLOURS[verdict], verdict), 8)}  class ${namespace}/${name}${why}`,
    ...(fix === undefined ? [] : [line`${padded("", 10)}-> ${fix}`]),
    ...secrets.flatMap((secret) => secretLines(secret, verdict === "refused")),
  ];
}

/** `isRefused`: nothing is written until what refuses its class is dealt with. */
function secretLines({ name, type, action, reason, message, fix }: PlannedSecret, isRefused: boolean): readonly Line[] {
  const later = isRefused && ["create", "take-over"].includes(action) ? line`, once that is corrected` : line``;
  const why = message === undefined ? later : line`${later}: ${reason === undefined ? "" : line`${reason}: `}${message}`;
  return [
    line`${padded("", 10)}${padded(paint(SECRET_COLOURS[action], action), 9)}  Secret ${name} (${type})${why}`,
    ...(fix === undefined ? [] : [line`${padded("", 21)}-> ${fix}`]),
  ];
}

/** Secrets of a class that is refused are not written, so they are not counted as created. */
function summaryOf(classes: readonly PlannedClass[]): string {
  const written = classes.filter(({ verdict }) => verdict === "ready");
  const created = written.flatMap(({ namespace, secrets }) => secrets.filter(({ action }) => action === "create").map(() => namespace));
  const count = (action: SecretAction): number =>
    classes.flatMap(({ secrets }) => secrets).filter((secret) => secret.action === action).length;
  const refused = classes.filter(({ verdict }) => verdict === "refused").length;
  return `${counted(created.length, "Secret")} would be created in ${counted(new Set(created).size, "namespace")}; ${count("conflict")} in conflict, ${count("invalid")} invalid; ${refused} of ${classes.length} classes refused`;
}
