import { CLASS_ANNOTATIONS, PREFIX } from "../../domain/annotations.ts";
import { grantsOf, type NamespaceGrants, NO_GRANTS, UNGRANTABLE } from "../../domain/grants/namespace-grants.ts";
import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { identityModeRefusal, managedIdentityRefusal, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import { supportIdentity } from "../../domain/provider-class/this-version.ts";
import { serviceAccountName } from "../../domain/sync/identity-names.ts";
import { isOurs } from "../../domain/sync/named-secrets.ts";
import { keyOf, namesOfConsumers, offBecause, type WorkerSettings, workerSettings } from "../shared/class-context.ts";
import { CommandFailure } from "../shared/command.ts";
import { MORE_RESOURCES } from "../shared/resources.ts";
import { settingsOf, type WorkloadObject } from "../shared/settings-in-force.ts";
import { type Look, type Viewer, valueIn } from "../shared/viewer.ts";

/** What the `grants` command reads of a cluster, with the user's rights. */

/** Asks whoever writes a class for the rights that its annotations use. */
export const AUTHORS_POLICY = "keyvault-injector-class-identities";

/** A class that lends something and that no policy was asked about. */
export interface OlderClass {
  readonly name: string;
  readonly lends: readonly string[];
}

export interface GrantsReport {
  readonly needs: Needs;
  /** Undefined: the policy is not there, so that no class was asked about. */
  readonly older: readonly OlderClass[] | undefined;
}

export interface GrantsQuestion {
  readonly viewer: Viewer;
  /** Of the install. */
  readonly namespace: string;
  /** One namespace alone. */
  readonly within: string | undefined;
}

export async function lookForGrants({ viewer, namespace, within }: GrantsQuestion): Promise<GrantsReport> {
  const where = within === undefined ? {} : { namespace: within };
  const all = seen(await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, where), "the classes");
  const settings = await settingsOfWorker(viewer, namespace);
  const classes = all.filter((provider) => isOurs(provider) && offBecause(settings, provider) === undefined);
  const facts = [];
  for (const provider of classes) {
    const { consumerAccounts } = await namesOfConsumers(viewer, provider);
    facts.push({ provider, consumerAccounts });
  }
  const namespaces = new Map(
    seen(await viewer.all<KubeObject>(RESOURCES.namespaces), "the Namespaces").map((object) => [object.metadata.name, grantsOf(object)]),
  );
  const needs = needsOf({ classes: facts, grantsOf: (name) => namespaces.get(name) ?? NO_GRANTS, limits: settings.limits });
  return { needs, older: await olderClasses(viewer, all) };
}

/** Without a worker those that it would start with. */
async function settingsOfWorker(viewer: Viewer, namespace: string): Promise<WorkerSettings> {
  const look = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}: the worker's settings decide what is granted already`);
  return workerSettings(settingsOf(valueIn(look)));
}

async function olderClasses(viewer: Viewer, classes: readonly SecretProviderClass[]): Promise<readonly OlderClass[] | undefined> {
  const look = await viewer.object<KubeObject>(RESOURCES.validatingAdmissionPolicyBindings, { name: AUTHORS_POLICY });
  const since = look.kind === "seen" ? look.value.metadata.creationTimestamp : undefined;
  if (since === undefined) return undefined;
  return classes
    .filter((provider) => lendingOf(provider).length > 0 && isOlderThan(provider, since))
    .map((provider) => ({ name: keyOf(provider), lends: lendingOf(provider) }));
}

function seen<T>(look: Look<T>, what: string): T {
  if (look.kind === "seen") return look.value;
  throw new CommandFailure(look.kind === "unseen" ? look.why : `the API server does not serve ${what}: apply manifests/crds first`);
}

/** What the classes of a cluster need of their Namespaces, and what is granted already. */

/** A mirrored class and the accounts of the pods that mount it. */
export interface ClassFacts {
  readonly provider: SecretProviderClass;
  readonly consumerAccounts: readonly string[];
}

/** Names of classes of the Namespace. */
export interface AccountNeed {
  readonly account: string;
  readonly classes: readonly string[];
  readonly isGranted: boolean;
}

export interface NamespaceNeeds {
  readonly namespace: string;
  readonly accounts: readonly AccountNeed[];
  readonly managedIdentity: { readonly classes: readonly string[]; readonly isGranted: boolean } | undefined;
  /** Accounts of the annotation as it is now. */
  readonly granted: readonly string[];
}

/** A class that no grant helps, and why. */
export interface Unhelped {
  readonly namespace: string;
  readonly name: string;
  readonly why: string;
}

export interface Needs {
  readonly namespaces: readonly NamespaceNeeds[];
  readonly unhelped: readonly Unhelped[];
  readonly counts: { readonly servicePrincipal: number; readonly workloadIdentity: number; readonly managedIdentity: number };
}

export interface NeedsInput {
  readonly classes: readonly ClassFacts[];
  readonly grantsOf: (namespace: string) => NamespaceGrants;
  readonly limits: OperatorLimits;
}

type Need =
  | { readonly kind: "nothing" }
  | { readonly kind: "servicePrincipal" }
  | { readonly kind: "managedIdentity" }
  | { readonly kind: "workloadIdentity"; readonly account: string }
  | { readonly kind: "unhelped"; readonly why: string };

export function needsOf({ classes, grantsOf, limits }: NeedsInput): Needs {
  const needed = classes.map((facts) => {
    const { namespace = "", name } = facts.provider.metadata;
    return { namespace, name, need: needOf(facts, limits) };
  });
  const namespaces = [...new Set(needed.map(({ namespace }) => namespace))].sort();
  return {
    namespaces: namespaces
      .map((namespace) => {
        const own = needed.filter((each) => each.namespace === namespace);
        return namespaceNeeds(own, { namespace, grants: grantsOf(namespace), limits });
      })
      .filter(({ accounts, managedIdentity }) => accounts.length > 0 || managedIdentity !== undefined),
    unhelped: needed.flatMap(({ namespace, name, need }) => (need.kind === "unhelped" ? [{ namespace, name, why: need.why }] : [])),
    counts: {
      servicePrincipal: countOf(needed, "servicePrincipal"),
      workloadIdentity: countOf(needed, "workloadIdentity"),
      managedIdentity: countOf(needed, "managedIdentity"),
    },
  };
}

function countOf(needed: readonly { readonly need: Need }[], kind: Need["kind"]): number {
  return needed.filter(({ need }) => need.kind === kind).length;
}

function needOf({ provider, consumerAccounts }: ClassFacts, limits: OperatorLimits): Need {
  const read = readIdentityMode(provider.spec?.parameters ?? {});
  const mode = read.ok ? supportIdentity(read.value) : read;
  // What the worker refuses for another reason says so itself.
  if (!mode.ok || identityModeRefusal(limits, mode.value.kind) !== undefined) return { kind: "nothing" };
  if (mode.value.kind !== "workloadIdentity") return { kind: mode.value.kind };
  if (provider.metadata.namespace === UNGRANTABLE) return { kind: "unhelped", why: `the worker asks for no token in ${UNGRANTABLE}` };
  const account = serviceAccountName({ provider, consumerAccounts });
  return account.ok ? { kind: "workloadIdentity", account: account.value } : { kind: "unhelped", why: account.error };
}

interface InNamespace {
  readonly namespace: string;
  readonly grants: NamespaceGrants;
  readonly limits: OperatorLimits;
}

function namespaceNeeds(
  needed: readonly { readonly name: string; readonly need: Need }[],
  { namespace, grants, limits }: InNamespace,
): NamespaceNeeds {
  const byAccount = Map.groupBy(
    needed.flatMap(({ name, need }) => (need.kind === "workloadIdentity" ? [{ name, account: need.account }] : [])),
    ({ account }) => account,
  );
  const managed = needed.filter(({ need }) => need.kind === "managedIdentity").map(({ name }) => name);
  const refusal = managedIdentityRefusal(limits, { namespace, isGranted: grants.managedIdentity });
  return {
    namespace,
    accounts: [...byAccount]
      .map(([account, those]) => ({
        account,
        classes: those.map(({ name }) => name).sort(),
        isGranted: grants.accounts.includes(account),
      }))
      .sort((a, b) => (a.account < b.account ? -1 : 1)),
    managedIdentity: managed.length === 0 ? undefined : { classes: managed.sort(), isGranted: refusal === undefined },
    granted: grants.accounts,
  };
}

/** What a Namespace still has to grant. */
export interface MissingGrant {
  readonly namespace: string;
  /** All that its annotation is to list; undefined where it need not change. */
  readonly accounts: readonly string[] | undefined;
  readonly managedIdentity: boolean;
}

export function missingGrants({ namespaces }: Needs): readonly MissingGrant[] {
  return namespaces.flatMap(({ namespace, accounts, managedIdentity, granted }) => {
    const missing = accounts.filter(({ isGranted }) => !isGranted).map(({ account }) => account);
    const needsIdentity = managedIdentity !== undefined && !managedIdentity.isGranted;
    if (missing.length === 0 && !needsIdentity) return [];
    return [{ namespace, accounts: missing.length === 0 ? undefined : [...granted, ...missing].sort(), managedIdentity: needsIdentity }];
  });
}

/** Annotations by which a class has the worker use something on its author's behalf. */
const LENDING = [
  [CLASS_ANNOTATIONS.serviceAccount, "lends the ServiceAccount"],
  [CLASS_ANNOTATIONS.credentialsSecret, "uses the credentials in Secret"],
  [CLASS_ANNOTATIONS.adopt, "takes over Secret"],
] as const;

/** What a class lends, in words. */
export function lendingOf({ metadata: { annotations = {} } }: SecretProviderClass): readonly string[] {
  return LENDING.flatMap(([annotation, words]) => (annotations[annotation] === undefined ? [] : [`${words} ${annotations[annotation]}`]));
}

/** Whether nothing that the policy judges was written since: then nobody asked an author for a right. Healing leaves these times as they were. */
export function isOlderThan({ metadata }: SecretProviderClass, since: string): boolean {
  const judged = (metadata.managedFields ?? []).filter(({ fieldsV1 }) => isJudged(fieldsV1 ?? {}));
  const times = judged.length === 0 ? [metadata.creationTimestamp] : judged.map(({ time }) => time);
  return times.every((time) => time === undefined || Date.parse(time) < Date.parse(since));
}

/** The spec, and annotations of ours. Labels, owners and finalizers are for everybody. */
function isJudged(fields: Readonly<Record<string, unknown>>): boolean {
  const { "f:annotations": annotations = {} } = Object(fields["f:metadata"]) as Readonly<Record<string, object>>; // A tree of field names.
  return "f:spec" in fields || Object.keys(annotations).some((key) => key.startsWith(`f:${PREFIX}/`));
}
