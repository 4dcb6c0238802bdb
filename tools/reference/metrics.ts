/** What the page of metrics says of each, and in which order; names, types and labels are those that the processes register. */
import { MOST_IN_HAND } from "../../src/sync/push/queue-reader.ts";
import { HELD_CAUSES } from "../../src/sync/rollouts/rollout-metrics.ts";
import { assertExplained, code, type Places, table } from "./page.ts";
import { registeredMetrics } from "./registered-metrics.ts";

/** By process, then by the name without `keyvault_injector_`. */
const MEANINGS: Readonly<Record<"webhook" | "sync" | "both", Readonly<Record<string, string>>>> = {
  webhook: {
    admission_requests_total: "completed admission reviews; see [reasons](reasons.md#admission-reasons)",
    admission_duration_seconds: "time from a review's request headers to its response",
    admission_in_flight: "reviews in progress",
    admission_class_lookups_total: "class lookups, by result: `cached`, `read` (live), `missing`, or `unknown` (could not be read)",
    admission_namespace_lookups_total:
      "Namespace lookups for defaults, by result: `cached`, `read` (live), `missing`, or `unknown` (could not be read)",
    preflight_reviews_total: "completed preflight reviews of a `workload` or a `class`, by outcome: `clean`, `warned`, or `errored`",
    preflight_warnings_total: "reviews with this warning; see [preflight](preflight.md)",
    certificate_not_after_seconds: "expiry of the served certificate (`leaf`) and its CA (`authority`), in seconds since the epoch",
  },
  sync: {
    sync_total: "completed checks of a class against its vault; see [reasons](reasons.md#sync-reasons)",
    sync_duration_seconds: "duration of checks of a class, from the request until the status is written",
    classes:
      "synced classes, by the reason of their condition `Synced`. Classes with `Stale` or `GuardrailsMissing` also count under that reason",
    classes_overdue: "classes whose last successful check is more than two poll intervals old",
    class_seconds_since_success:
      "time since the last successful check of an overdue class, or since the worker started if no check succeeded; only for the 100 longest times",
    check_age_max_seconds: "highest age of the last successful check of any class; normally less than an interval",
    secrets_managed: "Secrets with the worker's label; with `--secret-access=blind`, Secrets that this process has written",
    secret_writes_total:
      "writes to Secrets: `create`, `apply`, `replace`, and `delete`. `adopt` takes over a Secret, `release` releases it, and `leave` passes it to another class",
    drift_repairs_total: "repairs of Secrets that others `edited` or `deleted`",
    object_expiry_seconds:
      "expiry of a synced object, in seconds since the epoch (the earlier expiry if two versions are in use); only for the 100 objects that expire first, including expired objects",
    objects_expiring:
      "synced objects that have expired (`expired`) or expire within `7d`, `30d`, or `90d`. Each count includes the shorter periods. An object counts once for each class that names it",
    gateway_certificates:
      "certificates that Gateways and Ingresses of the [named classes](../how-to/tls-for-gateways.md) request: `ready`, `pending` (not written yet), `invalid`, `conflict`, or `failed` (the class does not sync)",
    crds_healed_total: "CRDs reapplied or repaired",
    components_healed_total: "repairs of install components that others `edited` or `deleted`; see [healing](healing.md)",
    component_damaged: "1 while a part of the install is damaged and not healed",
    uninstalling: "1 while an uninstall suspends healing",
    classes_restored_total: "classes recreated from their snapshot",
    classes_repaired_total: "classes whose lost fields were restored from their snapshot",
    vault_requests_total:
      "requests to vaults, excluding challenges. `kind`: `secret`, `key`, or `certificate`. `operation`: `get`, `list` (a page of a vault's objects), or `versions`. `outcome`: `ok`, `refused`, `throttled` (429), or `unreachable`",
    vault_transactions_total:
      "transactions that count toward [the vault's budget](vault-budget.md), by operation and vault host name. If there are more than 200 vaults, the worker labels the excess `other`, starting in the namespace with the most vaults",
    vault_throttled_total: "429 responses",
    vault_held_total:
      "requests not sent because the vault throttles (`Throttled`) or does not respond (`Unreachable`), or because an earlier step such as the sign-in failed (`NotAsked`)",
    vault_lookups_total:
      "object lookups: `asked` (the worker queried the vault), `shared` (with another class), or `unchanged` (according to the vault's list)",
    vault_breaker_open: "1 while the worker pauses a vault that does not respond",
    vault_rate: "current limit of requests per second to a vault: 300, or less after a 429",
    event_messages_total:
      "messages from [event queues](../how-to/rotate-in-seconds.md): `acted` on, `duplicate`, `unnamed` (no class names the object), `foreign` (no class names the vault), `access` (a vault's policies changed), `otherType`, `malformed`, or `poison` (received too often)",
    event_hints_total:
      "class checks triggered by an event: `applied` (Secrets updated), `current` (Secrets already had the version), `looked` (the vault has a newer version, or no key uses the version), or `leftToPoll` (the vault did not show the version in time, or the namespace had no room for more checks)",
    event_lag_seconds: "time from a vault's event until Secrets have the version, by Azure's clock and the node's clock",
    event_messages_in_hand: `messages received but not yet deleted; at ${MOST_IN_HAND.toLocaleString("en-US")} from one queue, the worker stops receiving from it`,
    event_queue_up: "1 while an event queue responds; 0 while only polls detect new versions",
    event_queue_last_answer_timestamp_seconds: "time of an event queue's last response, in seconds since the epoch",
    rollouts_total: "workload restarts because of new versions: `started`, `completed`, or `failed`",
    rollouts_waiting: "workloads waiting for their restart",
    rollouts_held: `due restarts that cannot begin: ${code(...HELD_CAUSES)}. Someone must fix \`invalid_window\`, and usually \`blocked\`; see [restarts held](../runbooks/restarts-held.md)`,
    rollouts_halted:
      "namespaces in which a failed restart blocks other restarts. The condition `Rotated` of their classes names the workload",
    queue_depth: "classes that are due but not yet being reconciled",
    queue_oldest_wait_seconds: "longest time that a due class has waited",
    queue_wait_seconds: "time from when a class becomes due until its reconcile begins",
    queue_runs_total:
      "class reconciles, by outcome: `done`, `requeueAfter` (repeats at a set time), `retry` (failed, repeats after a backoff), or `terminal` (failed, not retried)",
    events_dropped_total:
      "events not posted because too many events of a namespace were waiting, the API server rejected them, or the worker stopped. The worker logs each such event",
    frozen: "1 while the worker does not act on classes because the class CRD is damaged or the state of the CRD is not known yet",
    guardrails_missing: "1 while a policy that limits the worker is not in force, or while another policy denies the test of this policy",
    leader: "1 while this replica is the leader, with [shards](capacity.md#shards) the leader of one of them",
    shards:
      "number of leaders that the install needs, as this replica is configured. The alert `KeyVaultInjectorNoLeader` compares it with the leaders",
  },
  both: {
    event_loop_blocked_seconds_total:
      "total time that the event loop was blocked for more than a second at a time. `nodejs_eventloop_lag_max_seconds` shows the longest block since the last scrape",
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
    const shown = [...labels.keys()].filter((label) => label !== "le"); // The bounds of a histogram are Prometheus's.
    return [code(name), type, code(...shown), process, means];
  });
  return { metrics: table(["Name", "Type", "Labels", "Process", "Meaning"], rows) };
}
