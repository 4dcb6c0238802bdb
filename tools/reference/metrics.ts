/** Meanings and order of the metrics on the metrics page. Names, types and labels are those that the processes register. */
import { MOST_IN_HAND, MOST_RECEIPTS } from "../../src/sync/push/queue-reader.ts";
import { HELD_CAUSES } from "../../src/sync/rollouts/rollout-metrics.ts";
import { assertExplained, code, type Places, table } from "./page.ts";
import { registeredMetrics } from "./registered-metrics.ts";

/** By process, then by the name without `keyvault_injector_`. */
const MEANINGS: Readonly<Record<"webhook" | "sync" | "both", Readonly<Record<string, string>>>> = {
  webhook: {
    admission_requests_total: "completed admission reviews, by outcome and [reason](reasons.md#admission-reasons)",
    admission_duration_seconds: "time from when the webhook receives the headers of a review request until it responds",
    admission_in_flight: "reviews in progress",
    admission_class_lookups_total:
      "lookups of classes, by result: `cached`, `read` (from the API server), `missing` (the class does not exist), or `unknown` (the webhook could not read the class)",
    admission_namespace_lookups_total:
      "lookups of Namespaces for their defaults, by result: `cached`, `read` (from the API server), `missing` (the Namespace does not exist), or `unknown` (the webhook could not read the Namespace)",
    preflight_reviews_total:
      "completed preflight reviews, by resource (`workload` or `class`) and outcome (`clean`, `warned`, or `errored`)",
    preflight_warnings_total: "preflight reviews that returned a warning, by the name of the [warning](preflight.md)",
    certificate_not_after_seconds: "time when the served certificate (`leaf`) or its CA (`authority`) expires, in seconds since the epoch",
  },
  sync: {
    sync_total: "completed checks of a class against its vault, by resulting [reason](reasons.md#sync-reasons)",
    sync_duration_seconds: "duration of a check of a class against its vault, including the write of the status",
    classes:
      "classes, by the reason of their condition `Synced`. If another condition of a class has the reason `Stale` or `GuardrailsMissing`, the class also counts under that reason",
    classes_overdue: "classes whose last successful check is more than two poll intervals old",
    class_seconds_since_success:
      "for an overdue class, the time since its last successful check, or since the worker started if no check has succeeded. Only the 100 classes with the longest times have a series",
    check_age_max_seconds: "time since the last successful check, as the maximum over all classes; normally less than one poll interval",
    secrets_managed: "Secrets with the worker's label; with `--secret-access=blind`, Secrets that this process has written",
    secrets_without_room:
      "Secrets with the worker's label whose metadata does not fit into the worker's memory. The worker does not restart workloads that use them, and fetches their class at every poll. See the [limits](secret-provider-class.md#limits)",
    secret_writes_total:
      "writes to Secrets, by action: `create`, `apply` (change a Secret), `replace` (delete and recreate a Secret), `delete`, `adopt` (take over a Secret), `release` (stop managing an adopted Secret), or `leave` (pass a Secret to another class)",
    drift_repairs_total: "repairs of Secrets that someone else changed, by damage: `edited` or `deleted`",
    object_expiry_seconds:
      "time when a synced object expires, in seconds since the epoch. If two versions of the object are in use, the earlier time applies. Only the 100 objects that expire first, including expired objects, have a series",
    objects_expiring:
      "synced objects that have expired (`expired`) or expire within `7d`, `30d`, or `90d`. The count for a period includes the counts for all shorter periods and for `expired`. An object that several classes use counts once for each class",
    gateway_certificates:
      "certificates requested by [Gateways and Ingresses](../how-to/tls-for-gateways.md) of the configured GatewayClasses and IngressClasses, by state: `ready`, `pending` (not written yet), `invalid` (the request is invalid), `conflict` (the worker reports `TlsConflict`), or `failed` (the class does not sync, or the API server rejects a write for the certificate)",
    crds_healed_total: "CRDs that the worker recreated or repaired",
    components_healed_total:
      "repairs of [components of the install](healing.md) that someone else changed, by damage: `edited` or `deleted`",
    component_damaged: "1 while the component of the install is damaged and the worker has not healed it",
    uninstalling: "1 while an uninstall suspends healing",
    classes_restored_total: "classes that the worker recreated from their snapshots",
    classes_repaired_total: "classes in which the worker restored lost fields from a snapshot",
    vault_requests_total:
      "requests to vaults, excluding those that the vault answers with an authentication challenge. `kind`: `secret`, `key`, or `certificate`. `operation`: `get`, `list` (a page of a vault's objects), or `versions`. `outcome`: `ok`, `refused`, `throttled` (429), or `unreachable`",
    vault_transactions_total:
      "transactions that count toward [the vault's budget](vault-budget.md), by operation and host name of the vault. At most 200 vaults have their own series; all others share the label value `other`. The first vaults to lose their own series are those of the namespace that uses the most vaults",
    vault_throttled_total: "429 responses from vaults",
    vault_held_total:
      "requests that the worker did not send, by reason: `Throttled` (the vault throttles requests), `Unreachable` (the vault does not respond), or `NotAsked` (an earlier step, such as the sign-in, failed)",
    vault_lookups_total:
      "lookups of objects, by result: `asked` (the worker queried the vault), `shared` (the worker reused the response to another class), or `unchanged` (the vault's list shows no change)",
    vault_breaker_open: "1 while the worker pauses requests to the vault, because the vault does not respond",
    vault_rate: "current limit on requests per second to a vault: 300 divided by the number of shards, or less after a 429",
    event_messages_total: `messages from [event queues](../how-to/rotate-in-seconds.md), by outcome: \`acted\` (the worker checked a class), \`duplicate\`, \`unnamed\` (no class uses the object), \`foreign\` (no class uses the vault), \`otherShard\` (no class of this shard uses the vault), \`access\` (the access policies of the vault changed), \`otherType\` (not an event that the worker uses), \`malformed\`, or \`poison\` (received more than ${MOST_RECEIPTS} times, and deleted without being processed)`,
    event_hints_total:
      "checks of a class because of an event, by outcome: `applied` (the worker updated the Secrets), `current` (the Secrets already had the version), `looked` (the worker checked the class, but the vault has a newer version than the event, or no Secret of the class contains the object), or `leftToPoll` (the vault did not show the version in time, or too many checks of the namespace were waiting)",
    event_lag_seconds:
      "time from an event until the Secrets have the new version. The start comes from Azure's clock, and the end from the node's clock, so a difference between the clocks changes the value",
    event_messages_in_hand: `messages that the worker has received but not yet deleted. At ${MOST_IN_HAND.toLocaleString("en-US")} messages from one queue, the worker stops reading that queue`,
    event_queue_up: "1 while an event queue responds; 0 while it does not respond, and the worker detects new versions only by polling",
    event_queue_last_answer_timestamp_seconds: "time of an event queue's last response, in seconds since the epoch",
    rollouts_total: "restarts of workloads because of new versions, by outcome: `started`, `completed`, or `failed`",
    rollouts_waiting: "workloads that wait for their restart, excluding those in `keyvault_injector_rollouts_held`",
    rollouts_held: `due restarts that cannot begin, by cause: ${code(...HELD_CAUSES)}. \`budgets_unknown\` means that the worker cannot read the PodDisruptionBudgets, and \`blocked\` that the API server does not accept the restart. With the cause \`invalid_window\`, and usually also with \`blocked\`, a restart cannot begin until someone fixes the problem; see [restarts held](../runbooks/restarts-held.md)`,
    rollouts_halted:
      "namespaces in which a failed restart blocks other restarts. In each of these namespaces, the condition `Rotated` of the classes shows which workload failed",
    queue_depth: "classes that are due for a reconcile and wait for it to begin",
    queue_oldest_wait_seconds: "longest time that any class has been waiting for a due reconcile to begin; 0 if no class is waiting",
    queue_wait_seconds: "time from when a class becomes due for a reconcile until the reconcile begins",
    queue_runs_total:
      "reconciles of classes, by outcome: `done`, `requeueAfter` (repeats at a set time), `retry` (failed, repeats after a backoff), or `terminal` (failed, not retried)",
    events_dropped_total:
      "events that the worker did not post, because too many events of a namespace were waiting, the API server rejected the event, or the worker stopped. The worker logs each such event",
    frozen: "1 while the worker does not act on classes, because their CRD is damaged or the worker does not know the state of the CRD yet",
    guardrails_missing:
      "for each policy that limits the worker: 1 while the policy is not in force, or while the worker cannot test it. The policy has no value before its first test",
    leader: "1 while this replica is the leader, or the leader of one of the [shards](capacity.md#shards)",
    shards:
      "number of leaders that the install needs, according to the configuration of this replica. The alert `KeyVaultInjectorNoLeader` compares this number with the number of leaders",
  },
  both: {
    event_loop_blocked_seconds_total:
      "total time for which the event loop was blocked. Only blocks longer than one second count. `nodejs_eventloop_lag_max_seconds` shows the longest block since the last scrape",
  },
};

export async function metricPlaces(): Promise<Places> {
  const registered = new Map((await registeredMetrics()).map((metric) => [metric.name, metric]));
  const explained = Object.entries(MEANINGS).flatMap(([process, meanings]) =>
    Object.entries(meanings).map(([suffix, means]) => ({ process, name: `keyvault_injector_${suffix}`, means })),
  );
  const names = explained.map(({ name }) => name);
  assertExplained(names, [...registered.keys()], "tools/reference/metrics.ts");
  const rows = explained.map(({ process, name, means }) => {
    const { type = "", labels = new Map() } = registered.get(name) ?? {};
    const shown = [...labels.keys()].filter((label) => label !== "le"); // Prometheus itself adds the label for the bounds of a histogram.
    return [code(name), type, code(...shown), process, means];
  });
  return { metrics: table(["Name", "Type", "Labels", "Process", "Meaning"], rows) };
}
