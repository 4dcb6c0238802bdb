import { accountRefusal, grantCommand } from "../../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { unseenCloudFile } from "../../../domain/provider-class/cloud-file.ts";
import { type ProviderClass, parseProviderClass } from "../../../domain/provider-class/parse.ts";
import type { ClassProblem } from "../../../domain/provider-class/problem.ts";
import { readServicePrincipal } from "../../../domain/provider-class/service-principal.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { annotationProblems, pollInterval, syncMode } from "../../../domain/schedule/class-annotations.ts";
import { credentialsSecretName, serviceAccountName } from "../../../domain/sync/identity-names.ts";
import { isOurs, secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { keyOf, offBecause } from "../../shared/class-context.ts";
import { limitOf, lookAtGrants } from "../../shared/grants.ts";
import { paint } from "../../shared/terminal.ts";
import type { Look } from "../../shared/viewer.ts";
import { consumersOf } from "../class/identity.ts";
import { oneLine } from "../class/walk.ts";
import { type PlanContext, type PlannedSecret, planSecretObject, type SecretAction, type SecretClaims } from "./plan-secret.ts";

export const CLASS_VERDICTS = {
  ready: "its Secrets would be written",
  off: "nothing of it is mirrored: no secretObjects, sync mode never, --sync-secret=false, or a namespace that --namespaces does not name",
  waits: "its Secrets would be written once a pod mounts it (while-used)",
  refused: "the worker would refuse it, for the reason that is told",
  unknown: "you may not see what decides",
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
  for (const provider of [...classes].filter(isOurs).sort(byKey)) planned.push(await planClass(context, provider, claims));
  return planned;
}

const byKey = (a: SecretProviderClass, b: SecretProviderClass): number => (keyOf(a) < keyOf(b) ? -1 : 1);

async function planClass(context: PlanContext, provider: SecretProviderClass, claims: SecretClaims): Promise<PlannedClass> {
  const { namespace = "", name } = provider.metadata;
  if (offBecause(context.settings, provider) !== undefined) return { namespace, name, verdict: "off", secrets: [] };
  const secrets: PlannedSecret[] = [];
  for (const [index] of secretObjectsOf(provider).entries()) secrets.push(await planSecretObject(context, { provider, index, claims }));
  const refused = await refusalOf(context, provider);
  const isWaiting = syncMode(provider, context.settings.syncMode) === "while-used";
  const [message] = annotationProblems(provider, pollInterval(provider, 0));
  const told = message === undefined ? {} : { message };
  return { namespace, name, ...(refused ?? { verdict: isWaiting ? "waits" : "ready", ...told }), secrets };
}

/** In the worker's order: parameters, identity, objects, limits. */
async function refusalOf(context: PlanContext, provider: SecretProviderClass): Promise<Verdict | undefined> {
  const { cloudName } = context.settings;
  const parsed = parseProviderClass(provider.spec, { owner: keyOf(provider), cloudName, readCloudFile: unseenCloudFile });
  if (parsed.kind === "notOurs") return undefined;
  if (parsed.kind === "invalid") return ofProblem(parsed.problem);
  const { identity, address } = parsed.providerClass;
  const limited = await limitOf(context, provider, { mode: identity.kind, address });
  return limited === undefined ? identityVerdict(context, provider, parsed.providerClass) : ofProblem(limited);
}

function ofProblem({ reason, message, field, hint }: ClassProblem): Verdict {
  return { verdict: "refused", reason, message: `${field}: ${message}`, fix: `In ${field}: ${hint}.` };
}

async function identityVerdict(
  context: PlanContext,
  provider: SecretProviderClass,
  { identity }: ProviderClass,
): Promise<Verdict | undefined> {
  if (identity.kind === "managedIdentity") return undefined;
  const consumers = await consumersOf(context, provider);
  if (identity.kind === "servicePrincipal") return credentialsVerdict(context, provider, consumers.credentials);
  const account = serviceAccountName({ provider, consumerAccounts: consumers.accounts });
  if (!account.ok)
    return refused("IdentityUnavailable", account.error, "Name one ServiceAccount in the class's annotation service-account.");
  const ref = { namespace: provider.metadata.namespace ?? "", name: account.value };
  const named = `ServiceAccount ${ref.namespace}/${ref.name}`;
  const grants = await lookAtGrants(context.viewer, ref.namespace);
  const ungranted = grants.kind === "seen" ? accountRefusal(grants.value, ref) : undefined;
  if (ungranted !== undefined) return refused("IdentityUnavailable", ungranted, `Run ${grantCommand(ref.namespace)}.`);
  return lookVerdict(await context.viewer.object<KubeObject>(RESOURCES.serviceAccounts, ref), {
    absent: refused("IdentityUnavailable", `there is no ${named}`, `Create ${named}.`),
    seen: () => undefined,
  });
}

async function credentialsVerdict(
  context: PlanContext,
  provider: SecretProviderClass,
  consumerNames: readonly string[],
): Promise<Verdict | undefined> {
  const { credentialsSecretNames: allowedNames } = context.settings;
  const name = credentialsSecretName({ provider, consumerNames, allowedNames });
  if (!name.ok) return refused("CredentialsMissing", name.error, "Name a Secret that the setting --credentials-secret-names lists.");
  const ref = { namespace: provider.metadata.namespace ?? "", name: name.value };
  const named = `Secret ${ref.namespace}/${ref.name}`;
  return lookVerdict(await context.viewer.object<Secret>(RESOURCES.secrets, ref), {
    absent: refused("CredentialsMissing", `there is no ${named}`, `Create ${named} with the keys clientid and clientsecret.`),
    seen: ({ data = {} }) => {
      const principal = readServicePrincipal(data);
      if (principal.ok) return undefined;
      const { field, hint } = principal.error;
      return refused("CredentialsMissing", `${named} has no ${field.replace("data.", "")}`, `Set ${field} in ${named}: ${hint}.`);
    },
  });
}

function refused(reason: SyncReason, message: string, fix: string): Verdict {
  return { verdict: "refused", reason, message, fix };
}

interface LookVerdicts<T> {
  readonly absent: Verdict;
  readonly seen: (value: T) => Verdict | undefined;
}

function lookVerdict<T>(look: Look<T>, { absent, seen }: LookVerdicts<T>): Verdict | undefined {
  if (look.kind === "seen") return seen(look.value);
  if (look.kind !== "unseen") return absent;
  return { verdict: "unknown", message: look.why, fix: "Run doctor with more rights." };
}

const CLASS_COLOURS: Readonly<Record<ClassVerdict, "green" | "red" | "cyan">> = {
  ready: "green",
  waits: "green",
  off: "cyan",
  refused: "red",
  unknown: "cyan",
};

const SECRET_COLOURS: Readonly<Record<SecretAction, "green" | "red" | "cyan" | "yellow">> = {
  create: "green",
  keep: "green",
  "take-over": "yellow",
  conflict: "red",
  invalid: "red",
  unknown: "cyan",
};

/** What would be written, and what would not be and why. */
export function planText(classes: readonly PlannedClass[], hasColour: boolean): string {
  const lines = classes.flatMap((planned) => classLines(planned, hasColour));
  return `${[...lines, ...(lines.length === 0 ? [] : [""]), summaryOf(classes)].join("\n")}\n`;
}

function classLines({ namespace, name, verdict, reason, message, fix, secrets }: PlannedClass, hasColour: boolean): readonly string[] {
  const why = message === undefined ? "" : ` ${reason === undefined ? "" : `${reason}: `}${oneLine(message)}`;
  return [
    `${paint(verdict.padEnd(8), CLASS_COLOURS[verdict], hasColour)}  class ${namespace}/${name}${why}`,
    ...(fix === undefined ? [] : [`${" ".repeat(10)}-> ${oneLine(fix)}`]),
    ...secrets.flatMap((secret) => secretLines(secret, hasColour)),
  ];
}

function secretLines({ name, type, action, reason, message, fix }: PlannedSecret, hasColour: boolean): readonly string[] {
  const why = message === undefined ? "" : `: ${reason === undefined ? "" : `${reason}: `}${oneLine(message)}`;
  return [
    `${" ".repeat(10)}${paint(action.padEnd(9), SECRET_COLOURS[action], hasColour)}  Secret ${name} (${type})${why}`,
    ...(fix === undefined ? [] : [`${" ".repeat(21)}-> ${oneLine(fix)}`]),
  ];
}

/** Secrets of a class that is refused are not written, so they are not counted as created. */
function summaryOf(classes: readonly PlannedClass[]): string {
  const written = classes.filter(({ verdict }) => verdict === "ready");
  const created = written.flatMap(({ namespace, secrets }) => secrets.filter(({ action }) => action === "create").map(() => namespace));
  const count = (action: SecretAction): number =>
    classes.flatMap(({ secrets }) => secrets).filter((secret) => secret.action === action).length;
  const refused = classes.filter(({ verdict }) => verdict === "refused").length;
  return `${created.length} Secrets would be created in ${new Set(created).size} namespaces; ${count("conflict")} in conflict, ${count("invalid")} invalid; ${refused} of ${classes.length} classes refused`;
}
