/** Grants that the classes of a cluster need from their Namespaces, and those that exist, as far as the user may read them. */
import { CLASS_ANNOTATIONS, PREFIX } from "../../domain/annotations.ts";
import { grantsOf, type NamespaceGrants, NO_GRANTS, UNGRANTABLE } from "../../domain/grants/namespace-grants.ts";
import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { isDnsSubdomain } from "../../domain/kubernetes-names.ts";
import { keyOf } from "../../domain/object-key.ts";
import { readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { identityModeRefusal, managedIdentityRefusal, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import { supportIdentity } from "../../domain/provider-class/this-version.ts";
import { quoted } from "../../domain/quoted.ts";
import { serviceAccountName } from "../../domain/sync/identity-names.ts";
import { isOurs } from "../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { parseQueueSetting, queueLabel } from "../../domain/vault-events/queue-setting.ts";
import { wordsOf } from "../../domain/words.ts";
import { assertNamespace } from "../shared/absence.ts";
import { mirrorsNothing, namesIn, offBecause, readConsumers, workerSettings } from "../shared/class-context.ts";
import { CommandFailure } from "../shared/command.ts";
import { MORE_RESOURCES } from "../shared/resources.ts";
import { type SettingsInForce, settingsOf, type WorkloadObject } from "../shared/settings-in-force.ts";
import { type Viewer, type ViewResult, valueIn } from "../shared/viewer.ts";
import { offeredCopies } from "./copies.ts";

/** Policy that checks whether the author of a class has the permissions that the annotations of the class use. */
export const AUTHORS_POLICY = "keyvault-injector-class-identities";

export type GrantsReport = Awaited<ReturnType<typeof findGrants>>;
export type Needs = GrantsReport["needs"];
export type NamespaceNeeds = Needs["namespaces"][number];

const ADVICE = "name a namespace with -n, or ask for permission";

/**
 * Finds the needed grants. `namespace`: namespace of the install. `within`: the only namespace to check. In the result, `older` is the
 * classes that lend something and that the policy has never checked; undefined if its binding does not exist, or the user may not read it.
 * `unseen`: what is not known, and the permission that the user lacks. `versions`: resourceVersion of each Namespace.
 */
export async function findGrants(viewer: Viewer, namespace: string, within: string | undefined) {
  await assertNamespace(viewer, within);
  const where = within === undefined ? {} : { namespace: within };
  const all = seen(await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses, where), "the classes", ADVICE);
  const reading = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  if (reading.kind === "unseen") throw new CommandFailure(`${reading.why}: the worker's settings determine what is already granted`);
  // If there is no worker, the settings with which it would start count.
  const inForce = settingsOf(valueIn(reading));
  const settings = workerSettings(inForce);
  const needed: Needed[] = [...neededByQueues(inForce, namespace)].filter((each) => within === undefined || each.namespace === within);
  const unseen: string[] = [];
  const own = all.filter(isOurs);
  const withStatus = own.some(mirrorsNothing) ? await classesWithStatus(viewer, where, unseen) : new Set<string>();
  const isAsked = (spc: SecretProviderClass): boolean =>
    mirrorsNothing(spc) ? withStatus.has(keyOf(spc)) : offBecause(settings, spc) === undefined;
  for (const spc of own.filter(isAsked)) {
    const { namespace: place = "", name } = spc.metadata;
    const need = await needOf(viewer, spc, settings.limits);
    if (need.kind === "unseen") unseen.push(`the ServiceAccount of ${keyOf(spc)}: ${need.why}`);
    needed.push({ namespace: place, name, need });
  }
  const namespaces = new Map(
    seen(await viewer.all<KubeObject>(RESOURCES.namespaces), "the Namespaces").map((object) => [object.metadata.name, object]),
  );
  const grantsIn = (name: string): NamespaceGrants => {
    const object = namespaces.get(name);
    return object === undefined ? NO_GRANTS : grantsOf(object);
  };
  const needs = needsOf(needed, grantsIn, settings.limits);
  const copies = offeredCopies(
    own.filter((spc) => !mirrorsNothing(spc)),
    namespaces,
  );
  const binding = await viewer.object<KubeObject>(RESOURCES.validatingAdmissionPolicyBindings, { name: AUTHORS_POLICY });
  if (binding.kind === "unseen") unseen.push(`which classes are older than the policy ${AUTHORS_POLICY}: ${binding.why}`);
  const isUnbound = binding.kind === "absent" || binding.kind === "unserved";
  const versions = new Map([...namespaces].map(([name, { metadata }]) => [name, metadata.resourceVersion]));
  return { needs, copies, older: olderClasses(valueIn(binding), all), isUnbound, unseen, versions };
}

/** Returns the keys of classes with a status. Without secretObjects, a class has one only if the worker tracks it for restarts. */
async function classesWithStatus(viewer: Viewer, where: { readonly namespace?: string }, unseen: string[]): Promise<ReadonlySet<string>> {
  const reading = await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, where);
  if (reading.kind === "unseen") unseen.push(`which classes without secretObjects the worker tracks: ${reading.why}`);
  const statuses = valueIn(reading) ?? [];
  return new Set(statuses.filter(({ status }) => readStatus(status) !== undefined).map(keyOf));
}

function olderClasses(binding: KubeObject | undefined, classes: readonly SecretProviderClass[]) {
  const since = binding?.metadata.creationTimestamp;
  if (since === undefined) return undefined;
  return classes
    .filter((spc) => lendingOf(spc).length > 0 && isOlderThan(spc, since))
    .map((spc) => ({ name: keyOf(spc), lends: lendingOf(spc) }));
}

function seen<T>(reading: ViewResult<T>, what: string, advice = "ask for permission"): T {
  if (reading.kind === "seen") return reading.value;
  throw new CommandFailure(
    reading.kind === "unseen" ? `${reading.why}; ${advice}` : `the API server does not serve ${what}: apply manifests/crds first`,
  );
}

type Need =
  | { readonly kind: "nothing" | "servicePrincipal" | "managedIdentity" }
  | { readonly kind: "workloadIdentity" | "azureTokenProxy"; readonly account: string }
  /** `unhelped`: no grant solves the problem. `unseen`: the user may not read the pods on which the account depends. */
  | { readonly kind: "unhelped" | "unseen"; readonly why: string };

interface Needed {
  readonly namespace: string;
  /** Name of the class, or label of the event queue. */
  readonly name: string;
  readonly isQueue?: true;
  readonly need: Need;
}

/**
 * Returns the accounts with which the worker reads its event queues, which need the same grants as those of classes. Omits invalid
 * settings, which the worker itself reports.
 */
function neededByQueues({ "event-queues": items }: SettingsInForce, install: string): readonly Needed[] {
  return wordsOf(items).flatMap((item): readonly Needed[] => {
    const setting = parseQueueSetting(item);
    if (!setting.ok || setting.value.identity.kind !== "workload") return [];
    const { namespace = install, name: account } = setting.value.identity.account;
    const need: Need = namespace === UNGRANTABLE ? NO_TOKENS : { kind: "workloadIdentity", account };
    return [{ namespace, name: queueLabel(setting.value), isQueue: true, need }];
  });
}

const NO_TOKENS: Need = { kind: "unhelped", why: `the worker requests no token in ${UNGRANTABLE}` };

async function needOf(viewer: Viewer, spc: SecretProviderClass, limits: OperatorLimits): Promise<Need> {
  const read = readIdentityMode(spc.spec?.parameters ?? {});
  const mode = read.ok ? supportIdentity(read.value, limits) : read;
  // The worker itself reports classes that it refuses for another reason.
  if (!mode.ok || identityModeRefusal(limits, mode.value.kind) !== undefined) return { kind: "nothing" };
  const { kind } = mode.value;
  if (kind !== "workloadIdentity" && kind !== "azureTokenProxy") return { kind };
  if (spc.metadata.namespace === UNGRANTABLE) return NO_TOKENS;
  const consumers = await readConsumers(viewer, spc);
  if (consumers.kind === "unseen" && spc.metadata.annotations?.[CLASS_ANNOTATIONS.serviceAccount] === undefined) return consumers;
  const consumerAccounts = namesIn((valueIn(consumers) ?? []).map((consumer) => consumer.account));
  const account = serviceAccountName({ provider: spc, consumerAccounts });
  return account.ok ? { kind, account: account.value } : { kind: "unhelped", why: account.error };
}

function needsOf(needed: readonly Needed[], grantsIn: (namespace: string) => NamespaceGrants, limits: OperatorLimits) {
  const count = (kind: Need["kind"]): number => needed.filter(({ need, isQueue }) => need.kind === kind && isQueue === undefined).length;
  return {
    namespaces: [...Map.groupBy(needed, ({ namespace }) => namespace)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([namespace, own]) => namespaceNeeds(own, namespace, { grants: grantsIn(namespace), limits }))
      .filter(({ accounts, managedIdentity }) => accounts.length > 0 || managedIdentity !== undefined),
    unhelped: needed.flatMap(({ namespace, name, need }) => (need.kind === "unhelped" ? [{ namespace, name, why: need.why }] : [])),
    counts: {
      servicePrincipal: count("servicePrincipal"),
      workloadIdentity: count("workloadIdentity"),
      identityBinding: count("azureTokenProxy"),
      managedIdentity: count("managedIdentity"),
    },
  };
}

/** Returns the needs of one Namespace. The names of classes omit the Namespace. */
function namespaceNeeds(
  needed: readonly Needed[],
  namespace: string,
  { grants, limits }: { readonly grants: NamespaceGrants; readonly limits: OperatorLimits },
) {
  const lending = needed.flatMap(({ need, ...each }) => ("account" in need ? [{ ...each, account: need.account }] : []));
  const accounts = [...Map.groupBy(lending, ({ account }) => account)].sort(([a], [b]) => (a < b ? -1 : 1));
  const managed = needed.filter(({ need }) => need.kind === "managedIdentity").map(({ name }) => name);
  const refusal = managedIdentityRefusal(limits, { namespace, isGranted: grants.managedIdentity });
  return {
    namespace,
    accounts: accounts.map(([account, those]) => ({
      account,
      classes: namesOf(those.filter(({ isQueue }) => isQueue === undefined)),
      ...(those.some(({ isQueue }) => isQueue) ? { queues: namesOf(those.filter(({ isQueue }) => isQueue)) } : {}),
      isGranted: grants.accounts.includes(account),
    })),
    managedIdentity: managed.length === 0 ? undefined : { classes: managed.sort(), isGranted: refusal === undefined },
    /** Accounts that the annotation lists now. */
    granted: grants.accounts,
  };
}

function namesOf(named: readonly { readonly name: string }[]): readonly string[] {
  return named.map(({ name }) => name).sort();
}

/** Grants that a Namespace lacks. */
export interface MissingGrant {
  readonly namespace: string;
  /** Full list of accounts for the annotation, without words that no account can have as its name; undefined if it need not change. */
  readonly accounts: readonly string[] | undefined;
  readonly managedIdentity: boolean;
}

export function missingGrants({ namespaces }: Needs): readonly MissingGrant[] {
  return namespaces.flatMap(({ namespace, accounts, managedIdentity, granted }) => {
    const missing = accounts.filter(({ isGranted }) => !isGranted).map(({ account }) => account);
    const needsIdentity = managedIdentity !== undefined && !managedIdentity.isGranted;
    if (missing.length === 0 && !needsIdentity) return [];
    return [
      {
        namespace,
        accounts: missing.length === 0 ? undefined : [...granted.filter(isDnsSubdomain), ...missing].sort(),
        managedIdentity: needsIdentity,
      },
    ];
  });
}

/** Annotations by which a class makes the worker use something on behalf of its author. The policy checks the same ones. */
export const LENDING = [
  [CLASS_ANNOTATIONS.serviceAccount, "lends the ServiceAccount"],
  [CLASS_ANNOTATIONS.credentialsSecret, "uses the credentials in Secret"],
  [CLASS_ANNOTATIONS.adopt, "takes over Secret"],
  [CLASS_ANNOTATIONS.mirrorTo, "copies its Secrets to Namespace"],
] as const;

/** Describes what a class lends. */
function lendingOf({ metadata: { annotations = {} } }: SecretProviderClass): readonly string[] {
  return LENDING.flatMap(([annotation, words]) => {
    const named = annotations[annotation];
    return named === undefined ? [] : [`${words} ${quoted(named)}`];
  });
}

/**
 * Whether the class is older than the policy. A later write does not prove that the policy has checked an author: any write of a field
 * manager, even of a label, renews the time of all its fields. If healing has recreated the class, the times of the fields count that
 * healing left unchanged.
 */
function isOlderThan({ metadata }: SecretProviderClass, since: string): boolean {
  const isBefore = (time: string | undefined): boolean => time !== undefined && Date.parse(time) < Date.parse(since);
  if (isBefore(metadata.creationTimestamp)) return true;
  const judged = (metadata.managedFields ?? []).filter(({ fieldsV1 }) => isJudged(fieldsV1 ?? {}));
  return judged.length > 0 && judged.every(({ time }) => isBefore(time));
}

/** Whether the fields include the spec, or a project annotation. Anyone may write labels, owners, and finalizers. */
function isJudged(fields: Readonly<Record<string, unknown>>): boolean {
  const { "f:annotations": annotations = {} } = Object(fields["f:metadata"]) as Readonly<Record<string, object>>; // A tree of field names.
  return "f:spec" in fields || Object.keys(annotations).some((key) => key.startsWith(`f:${PREFIX}/`));
}
