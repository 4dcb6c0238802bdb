/** What the `grants` command reads of a cluster, with the user's rights. */
import { grantsOf, NO_GRANTS } from "../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { isOurs } from "../../domain/sync/named-secrets.ts";
import type { Look, Viewer } from "../cluster.ts";
import { CommandFailure } from "../command.ts";
import { offBecause, type WorkerSettings, workerSettings } from "../doctor/class/class-look.ts";
import { consumersOf } from "../doctor/class/identity.ts";
import { settingsOf, type WorkloadObject } from "../doctor/settings-in-force.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { isOlderThan, lendingOf, type Needs, needsOf } from "./needs.ts";

const WORKER = "keyvault-injector-sync";
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
  const settings = await settingsInForce(viewer, namespace);
  const classes = all.filter((provider) => isOurs(provider) && offBecause(settings, provider) === undefined);
  const facts = [];
  for (const provider of classes) {
    const { accounts } = await consumersOf({ viewer }, provider);
    facts.push({ provider, consumerAccounts: accounts });
  }
  const namespaces = new Map(
    seen(await viewer.all<KubeObject>(RESOURCES.namespaces), "the Namespaces").map((object) => [object.metadata.name, grantsOf(object)]),
  );
  const needs = needsOf({ classes: facts, grantsOf: (name) => namespaces.get(name) ?? NO_GRANTS, limits: settings.limits });
  return { needs, older: await olderClasses(viewer, all) };
}

/** Without a worker those that it would start with. */
async function settingsInForce(viewer: Viewer, namespace: string): Promise<WorkerSettings> {
  const look = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: WORKER });
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}: the worker's settings decide what is granted already`);
  return workerSettings(settingsOf(look.kind === "seen" ? look.value : undefined));
}

async function olderClasses(viewer: Viewer, classes: readonly SecretProviderClass[]): Promise<readonly OlderClass[] | undefined> {
  const look = await viewer.object<KubeObject>(MORE_RESOURCES.policyBindings, { name: AUTHORS_POLICY });
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
