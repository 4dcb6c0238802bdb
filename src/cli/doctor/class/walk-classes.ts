import { OWN_DEPLOYMENT } from "../../../domain/healing/components.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import { conditionOf } from "../../../domain/sync/class-status.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { type Cluster, createViewer, listed, type Viewer } from "../../cluster.ts";
import type { CommandContext } from "../../command.ts";
import { MORE_RESOURCES } from "../../resources.ts";
import { type SettingsInForce, settingsOf, type WorkloadObject } from "../settings-in-force.ts";
import { type ClassContext, isServed, workerSettings } from "./class-look.ts";
import { type ReportedWalk, reportedWalk } from "./reported-walk.ts";
import { walkClass } from "./walk.ts";

export interface Looking {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  /** Of the install. */
  readonly namespace: string;
  /** Whether vaults are asked, and credentials read for it. */
  readonly asksVaults: boolean;
}

/** The worker's own settings, as its Deployment has them; the defaults where it is not there yet, or may not be seen. */
export async function openClassContext({ cluster, context, namespace, asksVaults }: Looking): Promise<ClassContext> {
  const { signal, clock, tellProgress } = context;
  const viewer = createViewer(cluster, signal);
  const worker = await context.workerCode();
  const azure = asksVaults ? await context.openAzure() : undefined;
  const settings = await settingsInForce(viewer, namespace);
  const key = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: worker.hmacKeySecret });
  return {
    viewer,
    kube: cluster.kube,
    clock,
    tellProgress,
    signal,
    namespace,
    settings: workerSettings(settings),
    worker,
    azure,
    readCloudFile: azure?.isInCluster === true ? worker.cloudFileReader(settings["cloud-env-dir"] ?? "") : undefined,
    hmacKey: key.kind === "seen" ? worker.hmacKeyIn(key.value) : undefined,
  };
}

async function settingsInForce(viewer: Viewer, namespace: string): Promise<SettingsInForce> {
  const look = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  return settingsOf(look.kind === "seen" ? look.value : undefined);
}

/** More of them would take minutes, and a share of the vaults' budget. */
const MOST_CLASSES = 20;

export interface WalkedClasses {
  readonly walks: readonly ReportedWalk[];
  /** Classes that were left out. */
  readonly left: number;
}

/** The failing ones first; one after the other, so that no vault is hurried. */
export async function walkSome(context: ClassContext): Promise<WalkedClasses> {
  const look = await context.viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses);
  if (look.kind !== "seen") return { walks: [], left: 0 };
  const statuses = await context.viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs);
  const failing = new Set(
    listed(statuses)
      .filter(({ status }) => conditionOf(readStatus(status), "Synced")?.status === "False")
      .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
  );
  const rank = (provider: SecretProviderClass): string => `${failing.has(keyOf(provider)) ? 0 : 1} ${keyOf(provider)}`;
  const mirrored = look.value.filter(
    (provider) => secretObjectsOf(provider).length > 0 && isServed(context.settings, provider.metadata.namespace ?? ""),
  );
  const inOrder = [...mirrored].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return { walks: await walkAll(context, inOrder.slice(0, MOST_CLASSES)), left: Math.max(0, inOrder.length - MOST_CLASSES) };
}

export async function walkAll(context: ClassContext, classes: readonly SecretProviderClass[]): Promise<readonly ReportedWalk[]> {
  const walks: ReportedWalk[] = [];
  for (const [index, provider] of classes.entries()) {
    context.tellProgress(`class ${keyOf(provider)} (${index + 1} of ${classes.length})`);
    walks.push(reportedWalk(await walkClass(context, provider)));
  }
  return walks;
}
