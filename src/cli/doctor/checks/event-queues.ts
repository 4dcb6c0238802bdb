import { FEDERATION_AUDIENCE } from "../../../domain/federation.ts";
import { accountRefusal, grantCommand } from "../../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES, type Secret } from "../../../domain/kubernetes.ts";
import {
  type EventQueue,
  QUEUE_ROLE,
  QueueError,
  type QueueErrorCode,
  type QueueIdentity,
  type QueueSetting,
} from "../../../domain/ports/event-queue.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import { readServicePrincipal } from "../../../domain/provider-class/service-principal.ts";
import { shell } from "../../../domain/shell-words.ts";
import { parseMessage } from "../../../domain/vault-events/parse-message.ts";
import { parseQueueSetting, queueLabel, queueOfShard, SHARD_PLACE } from "../../../domain/vault-events/queue-setting.ts";
import { counted, wordsOf } from "../../../domain/words.ts";
import { readGrants } from "../../shared/class-context.ts";
import { INSTALL_NAMESPACE } from "../../shared/resources.ts";
import { readWorkerSettings, workerSettingsInForce } from "../../shared/settings-in-force.ts";
import { whyNot } from "../../shared/viewer.ts";
import { type Check, type CheckResult, type DoctorContext, on } from "./check.ts";
import { mayGetSecret, secretAdvice } from "./rights.ts";

/** Maximum number of messages that the service returns for one peek, the oldest first. */
const MOST_SHOWN = 32;

/** If a message waits longer than this (milliseconds), no worker receives messages: a worker receives each within a second. */
const LONG_MS = 300_000;

/** A message that no queue contains. A request to delete it shows whether the identity may, and changes nothing. */
const NO_MESSAGE = { id: "00000000-0000-0000-0000-000000000000", receipt: "AgAAAAMAAAAAAAAAAAAAAAAAAAA=" };

const { fine, warn, fail, skip, skipped } = on["event-queues"];

/** Checks each queue of `--event-queues` with the worker's identity for it. Peeks at messages, and receives none. */
export const checkEventQueues: Check = async (context) => {
  const settings = await readWorkerSettings(context.viewer, context.namespace);
  if (settings.kind !== "seen") return [skipped(settings)];
  const items = wordsOf(settings.value["event-queues"]);
  if (items.length === 0) return [fine("no event queue is configured; only polls detect new versions")];
  const results: CheckResult[] = [];
  for (const item of items) results.push(...(await checkQueues(context, item, Number(settings.value.shards))));
  return results;
};

/** Checks one queue for each shard if the address has a placeholder for the number of the shard, and one queue otherwise. */
async function checkQueues(context: DoctorContext, item: string, shards: number): Promise<readonly CheckResult[]> {
  const setting = parseQueueSetting(item);
  if (!setting.ok) return [fail(`--event-queues: ${setting.error}`, "correct the worker's argument, or the chart's value eventQueues")];
  const isPerShard = setting.value.url.includes(SHARD_PLACE);
  const results: CheckResult[] = [];
  for (let shard = 0; shard < (isPerShard ? shards : 1); shard += 1)
    results.push(await checkQueue(context, queueOfShard(setting.value, shard)));
  return results;
}

async function checkQueue(context: DoctorContext, setting: QueueSetting): Promise<CheckResult> {
  const label = queueLabel(setting);
  const { queues } = context.azure;
  if (queues === undefined) return skip(`${label} is not checked: --no-vaults is set`, "run doctor without --no-vaults");
  const identity = await identityOf(context, setting);
  if ("check" in identity) return identity;
  return checkMessages(context, setting, queues.open(setting, identity));
}

async function checkMessages({ clock, signal }: DoctorContext, setting: QueueSetting, queue: EventQueue): Promise<CheckResult> {
  const label = queueLabel(setting);
  try {
    const shown = await queue.peek(MOST_SHOWN, signal);
    if (!(await mayTake(queue, signal)))
      return fail(`${label}: the worker's identity can peek at messages but not receive them`, adviceOn("Forbidden", setting));
    const [oldest] = shown.map(({ insertedAt }) => insertedAt).sort((a, b) => a - b);
    const waiting =
      shown.length === MOST_SHOWN ? `${MOST_SHOWN} or more messages are waiting` : `${counted(shown.length, "message")} waiting`;
    const strange = shown.filter(({ text }) => !parseMessage(text).ok).length;
    if (oldest !== undefined && clock.now() - oldest > LONG_MS)
      return warn(
        `${label}: ${waiting}, the oldest for ${minutes(clock.now() - oldest)}: no worker receives them`,
        "see the check lease and the worker's log",
      );
    if (strange > 0) return warn(`${label}: ${strange} of the messages are not vault events`, "use a separate queue for the install");
    return fine(`${label} can be reached, and its messages can be received; ${waiting}`);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    return fail(error.message, adviceOn(error.code, setting));
  }
}

/** Returns whether the identity may receive messages. If it may, the service answers that NO_MESSAGE is invalid or does not exist. */
async function mayTake(queue: EventQueue, signal: AbortSignal): Promise<boolean> {
  try {
    await queue.delete(NO_MESSAGE, signal);
    return true;
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    if (error.code === "Invalid" || error.code === "NotFound") return true;
    if (error.code === "Forbidden") return false;
    throw error;
  }
}

function minutes(milliseconds: number): string {
  return counted(Math.floor(milliseconds / 60_000), "minute");
}

function adviceOn(code: QueueErrorCode, { url, identity }: QueueSetting): string {
  const { hostname, pathname } = new URL(url);
  const [account = ""] = hostname.split(".");
  const queue = pathname.slice(1);
  switch (code) {
    case "NotFound":
      return shell`az storage queue create --auth-mode login --account-name ${account} --name ${queue}`;
    case "Forbidden":
      return shell`az role assignment create --role ${QUEUE_ROLE} --assignee ${assigneeOf(identity)} --scope $(az storage account show --name ${account} --query id --output tsv)/queueServices/default/queues/${queue}`;
    case "NetworkForbidden":
      return shell`az storage account network-rule add --account-name ${account} --ip-address <the cluster's outbound address>, or create a private endpoint in its network`;
    case "Unauthorized":
    case "IdentityUnavailable":
      return "correct the identity that --event-queues names after the address, or its configuration in Azure";
    case "Throttled":
      return "check again later; if this persists, put the queue into its own storage account";
    case "Faulty":
      return "check again later; if this persists, check Azure's status page";
    case "TooLarge":
      return shell`az storage message clear --auth-mode login --account-name ${account} --queue-name ${queue}; then allow only Event Grid to send messages to the queue`;
    case "Unreachable":
    case "Invalid":
      return "allow connections to port 443 of the queue and of the sign-in service, through the proxy if there is one; then check again";
  }
}

function assigneeOf(identity: QueueIdentity): string {
  return identity.kind === "servicePrincipal" ? "<its client id>" : (identity.clientId ?? "<object id of the node's identity>");
}

/** Returns the worker's identity for the queue, obtained with the user's permissions, or a finding if this process cannot obtain it. */
async function identityOf(context: DoctorContext, setting: QueueSetting): Promise<VaultIdentity | CheckResult> {
  const { identity } = setting;
  const label = queueLabel(setting);
  switch (identity.kind) {
    case "managed":
      if (context.azure.isInCluster === true) return { kind: "managedIdentity", clientId: identity.clientId };
      return skip(`${label} is not checked: the node's identity is not available on this machine`, inside(context));
    case "servicePrincipal":
      return principalOf(context, label, identity.secretName);
    case "workload":
      return workloadOf(context, label, identity);
  }
}

async function principalOf(context: DoctorContext, label: string, name: string): Promise<VaultIdentity | CheckResult> {
  const { viewer, namespace } = context;
  // The user may be able to read Secrets that the worker cannot.
  if ((await mayGetSecret(context, name)) === false)
    return fail(
      `${label}: the worker lacks permission to get Secret ${namespace}/${name}`,
      secretAdvice(name, namespace, await workerSettingsInForce(viewer, namespace)),
    );
  const reading = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name });
  if (reading.kind === "unseen")
    return skip(`${label} is not checked: ${reading.why}`, `ask for permission to get Secret ${namespace}/${name}`);
  const principal = readServicePrincipal(reading.kind === "seen" ? (reading.value.data ?? {}) : undefined);
  if (principal.ok) return principal.value;
  const { field, hint, isPlaceholder = false } = principal.error;
  const what = reading.kind !== "seen" ? "does not exist" : isPlaceholder ? `still has a placeholder in ${field}` : `has no ${field}`;
  return fail(`${label}: Secret ${namespace}/${name} ${what}`, hint);
}

async function workloadOf(
  context: DoctorContext,
  label: string,
  { clientId, account: given }: Extract<QueueIdentity, { readonly kind: "workload" }>,
): Promise<VaultIdentity | CheckResult> {
  const { viewer, cluster, namespace, signal } = context;
  const account = { namespace: given.namespace ?? namespace, name: given.name };
  const granting = grantCommand(
    { namespace: account.namespace, accounts: [account.name] },
    namespace === INSTALL_NAMESPACE ? undefined : namespace,
  );
  const absent = (): CheckResult =>
    fail(
      `${label}: ServiceAccount ${account.namespace}/${account.name} does not exist`,
      `${shell`kubectl create serviceaccount ${account.name} --namespace ${account.namespace}`}; then ${granting}`,
    );
  if ((await viewer.object<KubeObject>(RESOURCES.serviceAccounts, account)).kind === "absent") return absent();
  const grants = await readGrants(viewer, account.namespace);
  const refusal = grants.kind === "seen" ? accountRefusal(grants.value, account) : undefined;
  if (refusal !== undefined) return fail(`${label}: ${refusal}`, granting);
  try {
    const token = await cluster.kube.requestToken(account, { audience: FEDERATION_AUDIENCE, expirationSeconds: 600 }, signal);
    return { kind: "workloadIdentity", clientId, account, requestToken: () => Promise.resolve(token) };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const named = `ServiceAccount ${account.namespace}/${account.name}`;
    if (error.code === "NotFound") return absent();
    return skip(`${label} is not checked: ${whyNot(`get a token of ${named}`, error)}`, inside(context));
  }
}

function inside({ namespace }: DoctorContext): string {
  return shell`check from the worker's pod: kubectl exec -n ${namespace} deploy/keyvault-injector-sync -- node dist/main.js doctor`;
}
